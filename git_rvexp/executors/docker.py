"""Runs as detached containers of a Docker engine: the executor that needs no account and no server.

An engine gives names out once, which makes submitting idempotent: a run has one container or none. But it has
no scheduler, so whoever looks (`states`) does a scheduler's work:

- a container over its time limit is stopped. Nobody looking, nobody stops it; `wait` looks every few seconds.
- a container that was made but not started within LATE seconds has lost its submitter (killed between the two
  calls) and is started. That happens once: a started container never counts as "made" again, and programs of one
  user on one machine start in turn (`docker_turn`).
- the next children of an array are started (`docker_driver`). Its job id is its job name; theirs have the index after.

Why we stopped a container is written into it (`docker_remark`). What is asked and what answers mean: `docker_asking`,
`docker_reading`; the calls themselves: `docker_containers`. Runs that wait for others are handed over when they may
start, by `workflow.chain.drive` or `submit --wait`.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from git_rvexp.errors import RvexpError
from git_rvexp.executors import docker_asking, docker_driver, docker_making, docker_reading, docker_volumes
from git_rvexp.executors.docker_containers import Containers, lost
from git_rvexp.executors.docker_turn import in_turn
from git_rvexp.executors.protocol import RefusedError, UnsureError
from git_rvexp.model import JobState, Phase, Plan
from git_rvexp.progress import Progress, silent
from git_rvexp.settings import Settings

LATE = 30  # seconds after which a container that was only made counts as abandoned by its submitter


class DockerExecutor:
    """Executor and LogSource over the engine that `environ` names; job ids are full container ids, or an array's name.

    `environ` also has the values of a plan's `secret_env`, `settings` the AWS profile that ECR's login may come from;
    `say` and `progress` hear of pulls; `late` is LATE in seconds, `sleep` takes seconds.
    """

    name = "docker"
    schedules = False

    def __init__(
        self,
        environ: Mapping[str, str],
        settings: Settings = Settings(),  # noqa: B008  frozen
        *,
        say: Callable[[str], None] = lambda _line: None,
        progress: Progress = silent,
        late: float = LATE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Connect. RvexpError when no engine answers."""
        self._containers = Containers(environ, settings, say, progress)
        self._environ = environ
        self._late = late
        self._sleep = sleep
        self._ended: dict[str, JobState] = {}  # children by container: what has ended stays as it is

    @functools.cached_property
    def place(self) -> Mapping[str, str]:
        """The engine's id: see `docker_reading.engine_id`."""
        return {"engine": docker_reading.engine_id(self._containers.info())}

    def check(self, plan: Plan) -> None:
        """Refuse a plan that cannot run here; an image that only the registry has is pulled."""
        docker_asking.check_plan(plan, self._environ)
        docker_asking.check_room(plan.resources, self._containers.info())
        if plan.image:
            self.ensure_image(docker_asking.image(plan))

    def ensure_image(self, ref: str) -> Mapping[str, Any]:
        """`docker inspect` of an image, pulled by digest when the engine lacks it."""
        return self._containers.ensure_image(ref)

    def prepare(self, plan: Plan) -> None:
        """Fill the plan's volume, and make all children of an array but the first: with that one the job is there."""
        docker_volumes.fill(self._environ, plan)  # before there is a container that whoever looks may start
        if plan.array:
            self._make_children(plan, first=1)

    def submit(self, plan: Plan) -> str:
        """Make and start the plan's container, or the first of an array's; the job's id."""
        if plan.parents:
            raise RefusedError("a Docker engine does not wait for other jobs", hint='set executor = "batch"')
        if plan.array:
            return self._submit_array(plan)
        request = docker_asking.request(plan, self._environ)
        found = functools.partial(self.find, plan)
        container = docker_making.made(self._containers, request, plan.job_name, found)
        try:
            self._containers.start(container, plan.job_name)
        except RefusedError as why:
            try:
                self._containers.remove(container)  # it never ran, so that no job is left
            except RvexpError:
                raise lost(plan.job_name, why) from why
            raise
        return container

    def find(self, plan: Plan) -> list[str]:
        """The id of the run's job, if there is one. RvexpError when this is not the engine it was planned for."""
        planned = plan.extra.get("engine", self.place["engine"])
        if planned != self.place["engine"]:
            raise RvexpError(
                f"run {plan.run} was planned for the Docker engine {planned}; this one is {self.place['engine']}",
                hint="ask on the machine it was planned on, or set DOCKER_HOST to that engine",
            )
        name = docker_asking.child_name(plan.job_name, 0) if plan.array else plan.job_name
        seen = self._containers.inspect(name)
        if seen is None or docker_reading.run_of(seen) != str(plan.run):
            return []
        return [plan.job_name if plan.array else seen["Id"]]

    def states(self, jobs: Sequence[str]) -> dict[str, JobState]:
        """What this engine knows of `jobs`, after stopping what is over its time and starting what waits its turn."""
        engine = self._containers.info()
        states = {job: self._array(job, engine) or self._single(job, engine) for job in jobs}
        return {job: state for job, state in states.items() if state}

    def cancel(self, job: str, reason: str, *, run: str) -> None:
        """Stop a job: SIGTERM, and SIGKILL after GRACE seconds. One that has ended stays as it is."""
        children = self._children(job)
        for container in [child.container for child in children] or [job]:
            docker_reading.refuse_other(self._containers.inspect(container), container, run)
        waiting = [child for child in children if child.waits]
        if waiting:
            self._containers.stop(waiting[-1].container, reason)  # holds for all that wait
        for child in children:
            if not child.waits and not child.ended:
                self._containers.stop(child.container, reason)
        if children:
            return
        seen = self._containers.inspect(job)
        if seen is None:
            raise RvexpError(f"the Docker engine of {self._containers.info()['Name']} knows no job {job}")
        if seen["State"]["Running"] or docker_reading.never_started(seen):
            self._containers.stop(seen["Id"], reason)

    def logs(self, job: str, *, follow: bool = False, since: float = 0, attempt: int = 0) -> Iterator[str]:
        """Lines of stdout and stderr in the order they came; of an array child after child, with `[index] ` before."""
        docker_asking.check_attempt(job, attempt)
        name, _, index = job.partition(":")
        children = self._children(name)
        if not children:
            docker_reading.refuse_other(self._containers.inspect(job), job)
            yield from self._containers.lines(job, follow=follow, since=since)
        for child in docker_driver.chosen(children, index):
            if follow and child.waits:
                self._await_start(name, child.index)
            for line in self._containers.lines(child.container, follow=follow, since=since):
                yield line if index else f"[{child.index}] {line}"

    def _submit_array(self, plan: Plan) -> str:
        """Make the children that are not there yet, and start the first ones."""
        if any(child.index == 0 for child in self._children(plan.job_name)):
            raise UnsureError(f"an array named {plan.job_name} exists already")
        self._make_children(plan, first=0)
        with contextlib.suppress(RvexpError):  # it is there now: whoever looks next starts it
            self._array(plan.job_name, self._containers.info())
        return plan.job_name

    def _make_children(self, plan: Plan, first: int) -> None:
        there = {child.index: child.container for child in self._children(plan.job_name)}
        at_once = docker_asking.parallel(plan, self._containers.info())
        missing = sorted(set(range(first, plan.array)) - there.keys(), reverse=True)
        wanted = (docker_asking.child_request(plan, self._environ, index, at_once) for index in missing)
        found = functools.partial(self.find, plan)
        docker_making.make_all(self._containers, wanted, plan.job_name, found, there.values())

    def _children(self, job: str) -> list[docker_driver.Child]:
        if not docker_driver.may_be_array(job):
            return []
        return docker_driver.children(self._containers.listed(f"{docker_asking.ARRAY}={job}"))

    def _array(self, job: str, engine: Mapping[str, Any]) -> JobState | None:
        """The state of an array after starting its next children; None when there is none of that name."""
        children = self._children(job)
        if not children:
            return None
        waiting = docker_driver.waiting(children)
        states = {c.index: self._child(c, engine) for c in children if c not in waiting}
        stopped = self._containers.stopped_for(waiting[-1].container) if waiting else ""
        for child in [] if stopped else docker_driver.next_ones(waiting, states):
            self._begin(child.container, docker_asking.child_name(job, child.index))
            states[child.index] = self._child(child, engine)
        states |= {c.index: docker_driver.waiting_state(c, states, stopped) for c in waiting if c.index not in states}
        return docker_driver.array_state(job, docker_driver.complete(children, states))

    def _begin(self, container: str, name: str) -> None:
        with in_turn(), contextlib.suppress(RefusedError):  # why it was refused shows in its state
            seen = self._containers.inspect(container)
            if seen and docker_reading.never_started(seen):
                self._containers.start(container, name)

    def _child(self, child: docker_driver.Child, engine: Mapping[str, Any]) -> JobState:
        if child.container in self._ended:
            return self._ended[child.container]
        state = self._single(child.container, engine, in_array=True)
        if state is None:
            return JobState(child.container, Phase.FAILED, reason=docker_driver.GONE)
        if state.phase.over:
            self._ended[child.container] = state
        return state

    def _await_start(self, job: str, index: int) -> None:
        """Look (and so drive the array) until a child has started, or never will."""
        while True:
            state = self.states([job]).get(job)
            child = next((c for c in self._children(job) if c.index == index), None)
            if state is None or state.phase.over or child is None or not child.waits:
                return
            self._sleep(1)

    def _single(self, job: str, engine: Mapping[str, Any], *, in_array: bool = False) -> JobState | None:
        seen = self._containers.inspect(job)
        if seen is None or seen["Id"] != job or not docker_reading.run_of(seen):
            return None
        now = docker_reading.epoch(engine["SystemTime"]) or 0.0
        seen = self._tended(seen, now, in_array=in_array) or seen
        return docker_reading.job_state(seen, engine, self._stopped_for(seen))

    def _tended(self, seen: dict[str, Any], now: float, *, in_array: bool) -> dict[str, Any] | None:
        if limit := docker_reading.overdue(seen, now):
            self._containers.stop(seen["Id"], f"over its time limit of {limit} s")
        elif not in_array and self._abandoned(seen, now):
            self._begin(seen["Id"], seen["Name"])
        else:
            return None
        return self._containers.inspect(seen["Id"])

    def _abandoned(self, seen: dict[str, Any], now: float) -> bool:
        made = docker_reading.epoch(seen["Created"]) or now
        return docker_reading.never_started(seen) and now - made > self._late and not self._stopped_for(seen)

    def _stopped_for(self, seen: dict[str, Any]) -> str:
        return "" if seen["State"]["Running"] else self._containers.stopped_for(seen["Id"])
