"""Look the packages of the lock files up in a vulnerability database: ``make audit``.

A database that does not answer, or knows no package at all, must not pass for one that found nothing. So each is asked first
about an old version whose defect is public. Where none answers, one line says that nothing was checked, and the exit code is 0:
a closed network is no defect of a change.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--disable-pip"]
SERVICES = ("pypi", "osv")
#: An old version with a published defect: a database that does not name one has not answered.
KNOWN = "pyyaml==5.3"
#: Seconds: for a database to answer once, and for a whole lock file.
ONE, WHOLE = 8, 600
#: Defects that are accepted, by their identifier, each with the reason and the date of the decision.
ACCEPTED: dict[str, str] = {}


def asked(options: Sequence[str], service: str, seconds: float) -> list[dict[str, Any]] | None:
    """Return what a database says of each package; none if it did not answer in time or in a form that can be read."""
    command = [*COMMAND, "--vulnerability-service", service, "--timeout", "5", *options]
    try:
        answer = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=seconds)
        if answer.returncode not in (0, 1):  # 1: a defect, or no network; anything else is a mistake in the command
            raise SystemExit(f"audit: {' '.join(command)} failed: {answer.stderr.strip()}")
        return json.loads(answer.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None


def answering() -> str | None:
    """Return the first database that knows the defect of ``KNOWN``."""
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder, "known.txt")
        known.write_text(KNOWN, encoding="utf-8")
        for service in SERVICES:
            if any(package.get("vulns") for package in asked(["--no-deps", "-r", str(known)], service, ONE) or []):
                return service
    return None


def main(locks: Sequence[Path]) -> int:
    """Print what is known of the packages in some lock files; 1 if a defect is not accepted or a file could not be checked."""
    service = answering()
    if service is None:
        print("audit: no vulnerability database answered; nothing was checked")
        return 0
    code = 0
    for lock in locks:
        packages = asked(["--require-hashes", "-r", str(lock)], service, WHOLE)
        if not packages:
            print(f"audit: {lock.name} was not checked: {service} answered before, and gave no answer for this file")
            code = 1
            continue
        skipped = [package["name"] for package in packages if "skip_reason" in package]
        print(
            f"audit: {lock.name}: {len(packages) - len(skipped)} packages checked by {service}; not checked: {', '.join(skipped) or 'none'}"
        )
        for package in packages:
            for defect in package.get("vulns", []):
                reason = next((ACCEPTED[name] for name in (defect["id"], *defect["aliases"]) if name in ACCEPTED), "")
                fixed = ", ".join(defect["fix_versions"]) or "no version"
                print(f"  {package['name']} {package['version']}: {defect['id']}, fixed in {fixed}{reason and f'; accepted: {reason}'}")
                code = code if reason else 1
    return code


if __name__ == "__main__":
    if importlib.util.find_spec("pip_audit") is None:
        sys.exit("audit: pip-audit is not installed; make audit installs it")
    sys.exit(main(sorted(ROOT.glob("*.lock"))))
