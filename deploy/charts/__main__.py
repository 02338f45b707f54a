"""Command `python -m deploy.charts`: writes what is generated, or prints an environment's values for `helm -f`.

usage: python -m deploy.charts                        write the READMEs' tables and the golden renders
       python -m deploy.charts values ENVIRONMENT CHART
"""

import sys
from collections.abc import Sequence

import yaml

from deploy.charts import CHARTS
from deploy.charts.environments import EnvironmentUnknown, values


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; return the exit status."""
    match arguments:
        case []:
            write()
        case ["values", environment, chart]:
            return _print(environment, chart)
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


def write() -> None:
    """Write the READMEs' tables and the golden renders anew."""
    # Helm's library is no part of an installation: who prints values needs none.
    from deploy.charts.golden import golden_files
    from deploy.charts.readme import readmes

    for name, _, text in readmes():
        (CHARTS / name / "README.md").write_text(text, encoding="utf-8")
    for file, text in golden_files():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _print(environment: str, chart: str) -> int:
    try:
        yaml.safe_dump(values(environment, chart), sys.stdout, sort_keys=False)
    except EnvironmentUnknown as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
