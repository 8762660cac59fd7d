"""Installs two parts by the real z3c.recipe.usercrontab, as buildout does in each of
the directories that are named: into the crontab of whoever runs this."""

import sys

from z3c.recipe.usercrontab import UserCrontab

for directory in sys.argv[1:]:
    for part, times, command, comment in (
        ("backupcronjob", "0 3 * * *", "backup", "every night"),
        ("packcronjob", "0 1 * * 7", "zeopack", None),
    ):
        options = {"times": times, "command": f"{directory}/bin/{command}"}
        if comment:
            options["comment"] = comment
        UserCrontab({"buildout": {"directory": directory}}, part, options).install()
