"""Look every locked package up in a database of vulnerabilities, and say honestly if none answered.

``python .ci/audit.py LOCK``: exit status 1 if a vulnerability is known that is not in `ACCEPTED`; 0 if none is, or if nothing could be
looked up, which is said.
"""

from __future__ import annotations

import json
import subprocess
import sys

#: Vulnerabilities that do not touch us, by their id, each with the reason.
ACCEPTED: dict[str, str] = {}
#: Seconds to wait for an answer about one package.
WAIT = 5


def main(lock: str) -> int:
    """Audit a lock file."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "-r", lock, "--timeout", str(WAIT)]
    command += ["--progress-spinner", "off", "--format", "json", "--desc", "off"]
    answered = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    try:
        packages = json.loads(answered.stdout)["dependencies"]
    except (ValueError, KeyError):
        packages = []
    checked = [package for package in packages if "skip_reason" not in package]
    if not checked:
        print(f"audit: no database of vulnerabilities answered; nothing in {lock} was checked")
        return 0
    known = [(package, one["id"]) for package in checked for one in package["vulns"]]
    for package, name in known:
        print(f"audit: {package['name']} {package['version']}: {name}{f' (accepted: {ACCEPTED[name]})' if name in ACCEPTED else ''}")
    print(f"audit: {len(checked)} of {len(packages)} packages of {lock} were looked up; {len(known)} known vulnerabilities")
    return int(any(name not in ACCEPTED for _, name in known))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
