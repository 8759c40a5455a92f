"""Every setting there is: its key, its type, its default, and one line about it.

The dataclass is the only list; the example file, `config list`, the checks and the help are made from it.
Reading files and layers is `config`'s business.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from git_rvexp import rules
from git_rvexp.rules import Rule


def _key(default: Any, about: str, *, key: str, sensitive: bool = False, rule: Rule = rules.anything) -> Any:
    factory = {"default_factory": dict} if default == {} else {"default": default}
    return field(**factory, metadata={"key": key, "about": about, "sensitive": sensitive, "rule": rule})


@dataclass(frozen=True)
class Settings:
    """The settings in force. Sensitive ones decide where code, secrets or money go."""

    initials: str = _key("", "your initials in tag names; default: from user.name", key="initials", rule=rules.plain)
    project: str = _key(
        "", "the project in tag names; default: the repository's folder", key="project", rule=rules.plain
    )
    experiments_remote: str = _key(
        "",
        "git URL that snapshots and notes go to; default: a bare repository inside this clone",
        key="experiments_remote",
        sensitive=True,
        rule=rules.place,
    )
    github_experiment_repo: str = _key(
        "", "the same for GitHub, as org/name", key="github_experiment_repo", sensitive=True, rule=rules.github
    )
    archive_url: str = _key(
        "auto",
        "where the remote serves archives: auto, none, github, gitlab, gitea, forgejo, bitbucket, "
        "cgit, gitweb, or a URL with {url} {host} {path} {name} {commit} {tag}",
        key="archive_url",
        sensitive=True,
    )
    store: str = _key(
        "",
        "s3://bucket/prefix for copies of snapshots, large manifests and pinned inputs, never overwritten",
        key="store",
        sensitive=True,
        rule=rules.store,
    )
    executor: str = _key(
        "auto",
        "where runs happen: docker, batch, or auto (batch with a queue)",
        key="executor",
        rule=rules.one_of("auto", "docker", "batch"),
    )
    batch_queue: str = _key(
        "", "AWS Batch job queue that jobs are submitted to", key="batch_queue", sensitive=True, rule=rules.plain
    )
    batch_job_def_name: str = _key(
        "",
        "Batch job definition that ours are derived from",
        key="batch_job_def_name",
        sensitive=True,
        rule=rules.plain,
    )
    ecr_repo: str = _key(
        "",
        "registry/repository images are pushed to; default: stay in the engine",
        key="ecr_repo",
        sensitive=True,
        rule=rules.repository,
    )
    aws_region: str = _key(
        "", "AWS region; default: the AWS configuration's", key="aws.region", sensitive=True, rule=rules.word
    )
    aws_profile: str = _key(
        "", "AWS profile; default: the AWS configuration's", key="aws.profile", sensitive=True, rule=rules.plain
    )
    aws_endpoint_url: str = _key(
        "", "address of another AWS-compatible service", key="aws.endpoint_url", sensitive=True, rule=rules.address
    )
    snapshot_max_file: str = _key(
        "10 MB", "the largest changed or new file of a snapshot; 0: no limit", key="snapshot.max_file", rule=rules.size
    )
    snapshot_max_total: str = _key(
        "200 MB", "the most all its changed and new files take; 0: no limit", key="snapshot.max_total", rule=rules.size
    )
    snapshot_submodules: str = _key(
        "record",
        "submodules: record (their commit; refused while changed or unpushed), or embed (their files)",
        key="snapshot.submodules",
        rule=rules.one_of("record", "embed"),
    )
    secrets_scan: str = _key(
        "auto",
        "what finds secrets: auto (own patterns, and gitleaks or betterleaks if any), own, gitleaks, betterleaks, off",
        key="secrets.scan",
        sensitive=True,
        rule=rules.one_of("auto", "own", "gitleaks", "betterleaks", "off"),
    )
    secrets_allow_paths: tuple[str, ...] = _key(
        (), "files (globs) with no secrets", key="secrets.allow_paths", sensitive=True, rule=rules.no_options
    )
    secrets_allow_rules: tuple[str, ...] = _key(
        (), "rules that are not applied", key="secrets.allow_rules", sensitive=True, rule=rules.no_options
    )
    image_dockerfile: str = _key(
        "Dockerfile", "the Dockerfile, relative to image.context", key="image.dockerfile", rule=rules.inside
    )
    image_context: str = _key(
        ".", "folder of the tree that is the build context", key="image.context", rule=rules.inside
    )
    image_target: str = _key("", "build stage to stop at", key="image.target", rule=rules.word)
    image_platform: str = _key("linux/amd64", "platform images are built for", key="image.platform", rule=rules.word)
    image_build_args: Mapping[str, str] = _key(
        {}, "build arguments (never secrets)", key="image.build_args", rule=rules.variables
    )
    image_code: Mapping[str, str] = _key(
        {},
        'where the Dockerfile copies code to, as {"." = "/opt/src"}: publish then sends changed files only',
        key="image.code",
        rule=rules.laid,
    )
    image_base: str = _key(
        "", "in place of a Dockerfile: repository@sha256:… to lay the tree over", key="image.base", rule=rules.pinned
    )
    image_environment: tuple[str, ...] = _key(
        rules.ENVIRONMENT,
        "files (by name or path) whose change needs a new environment image",
        key="image.environment",
        rule=rules.no_options,
    )
    image_owner: str = _key(
        "0:0", "user and group number of the code in the image", key="image.owner", rule=rules.owner
    )
    job_vcpus: float = _key(0.0, "virtual CPUs; 0: the definition's own", key="job.vcpus", rule=rules.not_negative)
    job_memory: int = _key(0, "memory in MiB; 0: the definition's own", key="job.memory", rule=rules.not_negative)
    job_gpus: int = _key(0, "GPUs of a job", key="job.gpus", rule=rules.not_negative)
    job_timeout: int = _key(
        0, "seconds an attempt may run (at least 60 on Batch); 0: no limit", key="job.timeout", rule=rules.not_negative
    )
    job_attempts: int = _key(
        1, "attempts of a job, 1 to 10; only lost hosts are retried", key="job.attempts", rule=rules.attempts
    )
    job_env: Mapping[str, str] = _key({}, "environment of every job (no secrets)", key="job.env", rule=rules.variables)
    job_tags: Mapping[str, str] = _key({}, "AWS tags of every job on Batch", key="job.tags")
    job_share: str = _key("", "share identifier, for queues that share fairly", key="job.share", rule=rules.share)
    job_priority: int = _key(
        0, "priority in the share; 0: the definition's own", key="job.priority", rule=rules.priority
    )
    job_links: bool = _key(
        default=True, about="tell MLflow and W&B in jobs the run's name, commit, image and source", key="job.links"
    )
    job_role_arn: str = _key(
        "", "role of the job, where no base definition names one", key="job.role_arn", sensitive=True, rule=rules.plain
    )
    job_execution_role_arn: str = _key(
        "",
        "execution role, where no base definition names one",
        key="job.execution_role_arn",
        sensitive=True,
        rule=rules.plain,
    )
    run_outputs: tuple[str, ...] = _key(
        (),
        "what a run writes: paths in the container, or s3:// URIs ({run} stands for the run)",
        key="run.outputs",
        rule=rules.no_options,
    )
    run_inputs: tuple[str, ...] = _key(
        (), "what a run reads, beside the s3:// URIs in its command", key="run.inputs", rule=rules.no_options
    )
    run_input_files: tuple[str, ...] = _key(
        (),
        "files of the snapshot, by pattern, whose s3:// URIs are read",
        key="run.input_files",
        rule=rules.no_options,
    )
    run_pin_inputs: str = _key(
        "no",
        "exact versions of S3 inputs for jobs: no, copy (to the store), or version-id (?versionId=, single objects)",
        key="run.pin_inputs",
        rule=rules.one_of("no", "copy", "version-id"),
    )
    run_metrics: tuple[str, ...] = _key(
        (),
        "JSON files whose numbers are recorded: s3:// URIs ({run} stands for the run); on docker also container paths",
        key="run.metrics",
        rule=rules.json_files,
    )
    run_tolerance: float = _key(
        0.0, "how far numbers of a repeat's JSON and CSV may be off", key="run.tolerance", rule=rules.not_negative
    )
    seed_inject: bool = _key(
        default=False, about="add to images a hook that seeds what Python jobs import", key="seed.inject"
    )
    report_private: tuple[str, ...] = _key(
        (
            "account",
            "body",
            "by",
            "engine",
            "env",
            "host",
            "instance",
            "log_stream",
            "queue",
            "remote",
            "secret_env",
            "source",
        ),
        "fields of the record that report --public leaves out, with their values wherever they stand",
        key="report.private",
        rule=rules.fields,
    )

    @property
    def on_batch(self) -> bool:
        """Whether runs go to AWS Batch."""
        return self.executor == "batch" or (self.executor == "auto" and bool(self.batch_queue))


@dataclass(frozen=True)
class Key:
    """One setting described. `kind` is str, int, float, bool, dict or tuple (of strings)."""

    name: str
    attribute: str
    kind: type
    default: Any
    about: str
    sensitive: bool
    rule: Rule = rules.anything

    def risky(self, value: Any) -> Any:
        """What of `value` decides where code, secrets or money go; empty when nothing does."""
        if self.sensitive:
            return value
        return rules.redirecting(value) if self.kind is dict else self.default


def keys() -> Iterator[Key]:
    """Every setting, in the order of the example file."""
    for f in dataclasses.fields(Settings):
        default = {} if f.default is dataclasses.MISSING else f.default
        meta = f.metadata
        yield Key(meta["key"], f.name, type(default), default, meta["about"], meta["sensitive"], meta["rule"])
