# micropg with PostgreSQL. Arguments: host, port, user, password, timeout or "".
import sys

import micropg

HOST, PORT, USER, PASSWORD, TIMEOUT = sys.argv[1:6]
options = dict(host=HOST, port=int(PORT), user=USER, password=PASSWORD, database="test")
if TIMEOUT:
    options["timeout"] = float(TIMEOUT)
conn = micropg.connect(**options)
cur = conn.cursor()
cur.execute("create temporary table t (i int, s text, b bytea, f float8)")
for i in range(10):
    cur.execute("insert into t values (%s, %s, %s, %s)", (i, "it's %d" % i, bytes([i, 0]), i / 4))
conn.commit()
cur.execute("select i, s, b, f from t where i >= %s order by i", (8,))
print(cur.fetchall())
cur.execute("select count(*), sum(i) from t")
print(cur.fetchone(), cur.rowcount)
# An answer of several segments.
cur.execute("select repeat('x', 100) from generate_series(1, 100)")
rows = cur.fetchall()
print(len(rows), all(row == ("x" * 100,) for row in rows))
try:
    cur.execute("select nothing from nowhere")
except micropg.ProgrammingError as e:
    print("refused", e.code)
conn.rollback()
cur.execute("select 7")
print(cur.fetchone())
if TIMEOUT:
    try:
        cur.execute("select pg_sleep(1)")
        print("no timeout")
    except OSError as e:
        print("timeout", e.errno)
else:
    cur.execute("select pg_sleep(0.2)")
    print("slept")
conn.close()
try:
    micropg.connect(HOST, USER, "another", "test", int(PORT))
except Exception as e:
    print(type(e).__name__)
