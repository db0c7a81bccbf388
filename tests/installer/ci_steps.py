# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the steps of a composite action, or of a GitLab job, as they stand in the file: shell steps are executed, uploads are copies.

ci_steps.py github FILE OUTPUT [input=value ...]     the action's inputs; a copy of what it uploads goes to OUTPUT
ci_steps.py gitlab FILE OUTPUT [variable=value ...]  variables of the job

Exits as the check would end: 0 passed, 1 failed.
"""
import json
import os
import re
import shutil
import subprocess
import sys

import yaml


def words(pairs):
    return dict(pair.split("=", 1) for pair in pairs)


def keep(path, output):
    """Fails as an upload does where there is nothing."""
    if os.path.isdir(path):
        shutil.copytree(path, os.path.join(output, os.path.basename(path)), dirs_exist_ok=True)
    else:
        shutil.copy(path, output)


class Action:
    def __init__(self, file, output, inputs):
        self.action = yaml.safe_load(open(file))
        self.output = output
        unknown = set(inputs) - set(self.action["inputs"])
        assert not unknown, f"no inputs {unknown}"
        self.values = {f"inputs.{name}": str(inputs.get(name, one.get("default", "")))
                       for name, one in self.action["inputs"].items()}

    def expanded(self, text):
        return re.sub(r"\$\{\{ *([a-z.A-Z_-]+) *\}\}", lambda found: self.values[found[1]], str(text))

    def is_due(self, step, has_failed):
        condition = step.get("if")
        if condition is None:
            return not has_failed
        condition = re.fullmatch(r"\$\{\{ (.*) \}\}", condition)[1]
        for part in condition.split(" && "):
            if part == "always()":
                continue
            name, value = re.fullmatch(r"([a-z.]+) == '(.*)'", part).groups()
            if self.values[name] != value:
                return False
        return True

    def run(self):
        has_failed = False
        for step in self.action["runs"]["steps"]:
            if not self.is_due(step, has_failed):
                continue
            print(f"== {step['name']}", flush=True)
            if "run" in step:
                has_failed = not self.run_shell(step) or has_failed
            else:
                self.upload(step)
        for one in self.action["outputs"].values():
            self.expanded(one["value"])  # refers to what there is
        return 1 if has_failed else 0

    def run_shell(self, step):
        assert step["shell"] == "bash"
        results = os.path.join(self.output, "step-output")
        open(results, "w").close()
        environment = dict(os.environ, GITHUB_OUTPUT=results, GITHUB_STEP_SUMMARY=os.path.join(self.output, "summary.md"))
        environment.update({name: self.expanded(value) for name, value in step.get("env", {}).items()})
        # As the runner starts it.
        status = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], env=environment).returncode
        for line in open(results):
            name, value = line.rstrip("\n").split("=", 1)
            self.values[f"steps.{step['id']}.outputs.{name}"] = value
        return status == 0

    def upload(self, step):
        with_ = {name: self.expanded(value) for name, value in step["with"].items()}
        if step["uses"].startswith("actions/upload-artifact@"):
            assert with_["name"]
            keep(with_["path"], self.output)
        elif step["uses"].startswith("github/codeql-action/upload-sarif@"):
            assert json.load(open(with_["sarif_file"]))["version"] == "2.1.0"
            keep(with_["sarif_file"], self.output)
        else:
            raise AssertionError("nobody knows what this does: " + step["uses"])


def run_gitlab(file, output, variables):
    job = yaml.safe_load(open(file))[".genprof-gate"]
    unknown = set(variables) - set(job["variables"])
    assert not unknown, f"no variables {unknown}"
    environment = dict(os.environ, **{name: str(value) for name, value in {**job["variables"], **variables}.items()})
    # The lines of a script are one shell script, which ends at the first that fails.
    status = subprocess.run(["sh", "-e", "-c", "\n".join(job["script"])], env=environment).returncode
    assert job["artifacts"]["when"] == "always"
    for path in job["artifacts"]["paths"]:
        keep(path, output)
    keep(job["artifacts"]["reports"]["junit"], output)
    return 0 if status in (0, job["allow_failure"]["exit_codes"]) else 1


if __name__ == "__main__":
    kind, file, output, *rest = sys.argv[1:]
    sys.exit(Action(file, output, words(rest)).run() if kind == "github" else run_gitlab(file, output, words(rest)))
