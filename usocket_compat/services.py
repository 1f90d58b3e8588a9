# SPDX-License-Identifier: MIT
# Names of services and their ports, as IANA and Debian's /etc/services have them: all there is of
# them on a board, and on hosts what their own list lacks. Loaded for a question and dropped; lines
# and not one text: a board may have no room for 2 KB in one piece.

import sys

from . import _config
from .zbase import p

# t, u: over TCP alone, over UDP alone. Of those with one port the first is its name.
_TABLE = (
    " tcpmux=1t echo=7 discard=9 systat=11t daytime=13 netstat=15t qotd=17t chargen=19 ",
    " ftp-data=20t ftp=21t ssh=22t telnet=23t smtp=25t mail=25t time=37 whois=43t tacacs=49 ",
    " domain=53 bootps=67u bootpc=68u tftp=69u gopher=70t finger=79t http=80t www=80t ",
    " kerberos=88 pop3=110t pop-3=110t sunrpc=111 portmapper=111 auth=113t ident=113t ",
    " nntp=119t ntp=123u epmap=135t netbios-ns=137u netbios-dgm=138u netbios-ssn=139t ",
    " imap2=143t imap=143t snmp=161 snmp-trap=162 snmptrap=162 xdmcp=177u bgp=179t ",
    " ptp-event=319u ptp-general=320u ldap=389 svrloc=427 https=443 microsoft-ds=445t ",
    " kpasswd=464 submissions=465t ssmtp=465t smtps=465t isakmp=500u mbap=502 exec=512t ",
    " biff=512u login=513t who=513u shell=514t cmd=514t syslog=514 printer=515t talk=517u ",
    " ntalk=518u route=520u router=520u uucp=540t dhcpv6-client=546u dhcpv6-server=547u ",
    " rtsp=554 nntps=563t submission=587t asf-rmcp=623u ipp=631t ldaps=636 ldp=646 ",
    " netconf-ssh=830t domain-s=853 rsync=873t ftps-data=989t ftps=990t telnets=992t ",
    " imaps=993t pop3s=995t socks=1080t rmiregistry=1099t openvpn=1194 ms-sql-s=1433t ",
    " ms-sql-m=1434u l2f=1701u l2tp=1701u radius=1812 radius-acct=1813 mqtt=1883 ssdp=1900 ",
    " nfs=2049 cvspserver=2401t dict=2628t gpsd=2947t mysql=3306t ms-wbt-server=3389t ",
    " stun=3478 nut=3493 svn=3690t subversion=3690t ws-discovery=3702 sieve=4190t epmd=4369t ",
    " ntske=4460t ipsec-nat-t=4500u iax=4569u opcua-tcp=4840 munin=4949t sip=5060 ",
    " sip-tls=5061 xmpp-client=5222t xmpp-server=5269t stuns=5349 mdns=5353u llmnr=5355 ",
    " postgresql=5432t postgres=5432t amqps=5671t amqp=5672t coap=5683 coaps=5684 rfb=5900 ",
    " x11=6000t redis=6379t syslog-tls=6514t ircd=6667t ircs-u=6697t http-alt=8080t ",
    " webcache=8080t secure-mqtt=8883 mqtts=8883 git=9418t webmin=10000t zabbix-agent=10050t ",
    " zabbix-trapper=10051t bacnet=47808 ",
)


# What strtoul skips.
_BLANKS = " \t\n\v\f\r"


def by_name(host, service, family, type, proto, flags):
    """getaddrinfo for a service by its name, or in digits as strtoul reads them."""
    service = _digits(service)
    try:
        return p.getaddrinfo(host, service, family, type, proto, flags)
    except p.gaierror as e:
        numeric = service == "-1" or service.encode().isdigit()
        if numeric or e.errno != p.number("EAI_SERVICE") or flags & p.number("AI_NUMERICSERV"):
            raise
        # What the port does not know.
        known = find(service)
        found = []
        if known:
            found = p.getaddrinfo(host, str(known[0]), family, type, proto, flags)
            name = found[0][3]
            found = [each for each in found if each[1] in known[1]]
        if not found:
            raise
        if name:  # it is with the first
            found[0] = found[0][:3] + (name,) + found[0][4:]
        return found
    finally:
        forget()


def _digits(service):
    """A service in digits, without sign and blanks; "-1" below 0; what is no number as it is."""
    text = service
    while text[:1] and text[0] in _BLANKS:
        text = text[1:]
    sign = text[:1] if text[:1] in ("+", "-") else ""
    text = text[len(sign) :]
    if not text.encode().isdigit():
        return service
    port = int(text)
    if sign == "-" and port:
        return "-1"
    if port > 0xFFFF:
        raise p.gaierror(p.number("EAI_NONAME"), "EAI_NONAME")
    return str(port)


def find(name):
    """(port, types of sockets) of a service, or None."""
    name = " " + name + "="
    for line in _TABLE:
        at = line.find(name)
        if at >= 0:
            text = line[at + len(name) :].split(" ")[0]
            return int(text.strip("tu")), _types(text)
    return None


def _types(text):
    # SOCK_STREAM and SOCK_DGRAM, on every system
    return (1,) if text[-1] == "t" else (2,) if text[-1] == "u" else (1, 2)


def name_of(port, type):
    """The name of a port; None where it has none."""
    for line in _TABLE:
        for item in line.split():
            name, _, text = item.partition("=")
            if text.strip("tu") == port and type in _types(text):
                return name
    return None


def forget():
    """A board has no room for what is asked once."""
    if _config.USOCKET_LAZY:
        sys.modules.pop(__name__, None)
        sys.modules[__name__.rpartition(".")[0]].__dict__.pop("services", None)
