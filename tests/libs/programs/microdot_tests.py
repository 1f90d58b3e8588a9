# microdot's own tests, one class after the other. Arguments: modules.
import sys
import unittest

for name in sys.argv[1:]:
    module = getattr(__import__("tests." + name), name)
    for cls in [getattr(module, n) for n in dir(module)]:
        if not (isinstance(cls, type) and issubclass(cls, unittest.TestCase)):
            continue
        if hasattr(cls, "setUpClass"):
            cls.setUpClass()
        case = cls()
        for test in sorted(n for n in dir(cls) if n.startswith("test")):
            if hasattr(case, "setUp"):
                case.setUp()
            try:
                getattr(case, test)()
                print(name, test, "passed")
            except unittest.SkipTest:
                print(name, test, "skipped")
            except Exception as e:
                print(name, test, "failed")
                sys.print_exception(e)
