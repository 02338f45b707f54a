# Makes the environment `.venv` in the checkout, or brings it up to date; sourced by demo, test and .ci/run.
# Sets ROOT and leaves the shell there. Everything is pinned by version and digest in deploy/requirements.lock.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }

give_up() {
  printf 'cannot go on: %s\n' "$*" >&2
  exit 1
}

find_python() {
  local candidate
  for candidate in python3.11 python3 /usr/bin/python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# Usage: need_debian_package PACKAGE WHY COMMAND...: installs the package if the command fails and we may.
need_debian_package() {
  local package="$1" why="$2"
  shift 2
  "$@" && return
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    say "installing $package ($why)"
    { apt-get install -y -qq "$package" || { apt-get update -qq && apt-get install -y -qq "$package"; }; } >&2 </dev/null
  fi
  "$@" || give_up "$why; install it (Debian: apt-get install $package) and run this again"
}

has_venv() { "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; }

# Triton's model process is linked with the shared Python library, which a minimal machine lacks.
has_shared_python() {
  "$PYTHON" - <<'PYTHON'
import pathlib, sys, sysconfig
places = [pathlib.Path(sys.base_prefix, "lib"), pathlib.Path(sysconfig.get_config_var("LIBDIR"))]
places += [pathlib.Path(base, sysconfig.get_config_var("MULTIARCH") or "") for base in ("/usr/lib", "/lib", "/usr/local/lib")]
sys.exit(not any((place / "libpython3.11.so.1.0").exists() for place in places))
PYTHON
}

environment_stamp() {
  { cat deploy/requirements.lock pyproject.toml; printf '%s %s\n' "$ROOT" "$PYTHON"; } | sha256sum | cut -d' ' -f1
}

# An environment that another account made is good enough as long as this one may run it.
use_environment_of_another() {
  .venv/bin/python -c 'import services.cli' 2>/dev/null && return
  give_up "the environment $ROOT/.venv belongs to $(stat -c %U .venv) and is not for this account: as its owner, run" \
    "chmod -R a+rX .venv, with a Python that everybody may run; or take a copy of the checkout without .venv"
}

make_environment() {
  [ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || give_up "the servers' packages are for Linux on x86_64"
  if [ -e .venv ] && ! [ -w .venv ]; then
    use_environment_of_another
    return
  fi
  [ -w . ] || give_up "$ROOT belongs to another account: run this once as that account, or in a copy of your own"
  PYTHON="$(find_python)" || give_up "no Python 3.11; install it (Debian: apt-get install python3.11 python3.11-venv)"
  need_debian_package python3.11-venv "Python 3.11 lacks its venv module" has_venv
  need_debian_package libpython3.11 "the shared library of Python 3.11 is missing" has_shared_python
  local stamp
  stamp="$(environment_stamp)"
  [ "$(cat .venv/stamp 2>/dev/null)" = "$stamp" ] && return
  say "making the environment in $ROOT/.venv (about 1 GB; the first time it is downloaded)"
  # What is there is kept and brought up to date; an environment of another Python or place is not.
  .venv/bin/python -c "import sys; sys.exit(sys.prefix != '$ROOT/.venv')" 2>/dev/null || rm -rf .venv
  [ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
  .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip --upgrade >/dev/null
  local pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input)
  "${pip[@]}" install --require-hashes --no-deps --progress-bar off -r deploy/requirements.lock >&2 </dev/null \
    || give_up "the packages could not be installed: see above"
  "${pip[@]}" install --quiet --no-deps --no-build-isolation --no-index -e . >&2 </dev/null \
    || give_up "the project could not be installed into its environment: see above"
  .venv/bin/python -m pip check >&2 || give_up "the packages do not fit together: see above"
  printf '%s\n' "$stamp" >.venv/stamp
}

# Programs that tests alone need, built or installed once and kept in the user's cache. What cannot be had costs the
# tests that need it, and they say so.
make_tools_of_tests() {
  say "building MinIO and the tools of clients (skipped where they are built)"
  .venv/bin/python -m deploy.local.parts.minio_program >&2 || say "MinIO cannot be had here: tests that need it are skipped"
  .venv/bin/python -m deploy.clients >&2 || say "grpcurl and Node.js cannot be had here: tests that need them are skipped"
}
