"""Versions of other packages whose output was compared with what is made here: their sources tell which those are.

Any other version is like a package that is not known.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

# By the SHA-256 of the modules that was_compared() is asked about, one after the other.
VERSIONS = {
    # With which tests/test_uvicorn_formatters.py was run.
    "7473a22ae59b5aaf23b6710649c71e17dfd0fcbbc7a0c6c20e1827696d5a06fc": "uvicorn 0.23 to 0.25",
    "8a67d4cbc2d42126bfc675632a68f639412cdeaafd1652d1fe8e16e949236b4d": "uvicorn 0.26 and 0.27",
    "b20e03f651da5bf90a423fe498ff9ba256c286329f841ba2864b655a9f118d22": "uvicorn 0.28 to 0.32",
    "f9e084e273899856ed07da9f349b8454d174635dcb1941eabc5cde9984f43da4": "uvicorn 0.33 to 0.40",
    "2013d2a36a910562518f90b69cdec8d5c8af1408fd8ca679033c64d09a4f07df": "uvicorn 0.42 to 0.49",
    "9020759f8e41e4ee794920298afdb1e94406dcb9c5a8d946bdca211b20306e55": "uvicorn 0.51 to 0.54",
    # With which tests/test_json_formatter.py was run.
    "05b20cf3687e54c7c9c3d47776160f61fdba837c5836eaf228110ffeb89819a8": "python-json-logger 3.1.0",
    "c24fb5e075dbbd61c665c6cbccfc7987a9be611a18d9afdb59dc35660d258d62": "python-json-logger 3.2.0 and 3.2.1",
    "58d01f1e40de426cbaf9fc6f4ace6ff1ae15a2b62558e1a1334c25cf45c7d193": "python-json-logger 3.3.0",
    "4712999cdf7b0880914a9eb5629eaf80ebe8daac14979d82c7e46cb4d7ad3fcd": "python-json-logger 4.0.0",
    "2ae7661e821193923d4a3fbfdc8131f73b096066ad5788de6fb6a9db1a313860": "python-json-logger 4.1.0",
    "e52ef5b2e91c6b6aa2488e9e55fb606a6cd53a634242595df980c1e153ef7881": "python-json-logger 4.2.0",
}


def was_compared(*names: str) -> bool:
    """Return whether these modules, as imported, are those of one of VERSIONS."""
    return _is_known(*[sys.modules.get(name) for name in names])


@functools.cache
def _is_known(*modules: Any) -> bool:
    import hashlib

    content = hashlib.sha256()
    try:
        for module in modules:
            content.update(module.__spec__.loader.get_data(module.__file__))
    except Exception:  # not imported, no file, or another kind of loader
        return False
    return content.hexdigest() in VERSIONS
