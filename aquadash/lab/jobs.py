"""The jobs beside trainings and searches: a person starts them, sees them and stops them here.

Each kind of job has a method that starts it and one that returns its result. :meth:`Jobs.get` and :meth:`Jobs.stop`
serve all jobs, searches included.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import NotAllowedError, RunError, UnknownNameError
from aquadash.export import jobs as export_jobs
from aquadash.lab import Part, runs
from aquadash.lab.data import DataSets
from aquadash.lab.memory import FRESH_SECONDS, kept
from aquadash.lab.rights import Action
from aquadash.store import Job, Run, open_jobs, open_store

if TYPE_CHECKING:
    from aquadash.export.bundle import Exported
    from aquadash.robustness.measurement import Measurement
    from aquadash.robustness.requests import Request, SweepRequest


class Jobs(Part):
    """``Lab.jobs``: see there."""

    @kept(128, seconds=FRESH_SECONDS, method=True)
    def get(self, job_id: str) -> Job | None:
        """A job as it is now; None if it was never submitted."""
        return open_jobs().get(job_id)

    def may_stop(self, job: Job) -> bool:
        """Whether the person may stop a job: they asked for it, the run that it is about is theirs, or they lead."""
        return not self._refusal_to_stop(job)

    def stop(self, job_id: str) -> None:
        """Ask a job to stop."""
        job = open_jobs().get(job_id)
        if job is None:
            raise RunError("This work is not known here, so there is nothing to stop.")
        if reason := self._refusal_to_stop(job):
            raise NotAllowedError(reason)
        with self._changing():
            open_jobs().request_stop(job_id)

    # -- robustness --------------------------------------------------------------------------------------------------

    def measure_robustness(self, run_id: str, request: Request | None = None) -> Job:
        """Start measuring how a run with a model does on changed images, or measure what is still missing.

        Args:
            run_id: A run that has ended.
            request: The measurement, such as a sweep of one parameter; None repeats the last request under corruptions
                and pipelines.
        """
        from aquadash.robustness.job import start
        from aquadash.robustness.requests import RobustnessRequest

        run = self._run(run_id)
        DataSets(self._person).require_for_job(run.config.data.source, Action.MEASURE, run.resource)
        replaces = isinstance(request, RobustnessRequest) and not self._rights.allow(Action.LABEL, run.resource)
        if replaces and self.robustness(run_id):
            raise NotAllowedError(
                f"“{run.name}” is measured already. Only its owner or the teacher can measure it again."
            )
        with self._changing():
            return start(open_store(), run_id, request, owner=self._person.person_id)

    def robustness_job(self, run_id: str, sweep: SweepRequest | None = None) -> str:
        """Return the id of the job that measures a run under corruptions and pipelines, or of a sweep."""
        from aquadash.robustness.job import job_of

        run = self._run(run_id)
        if sweep is not None:
            self._rights.require(Action.OPEN_MODEL, run.resource)
        return job_of(run, sweep)

    def robustness(self, run_id: str, sweep: SweepRequest | None = None) -> Measurement | None:
        """Return the measurement so far, of a sweep or under corruptions and pipelines.

        None without one, or if the run's weights have changed since.
        """
        job = self.get(self.robustness_job(run_id, sweep))
        if job is not None and not job.status.ended:
            return _measured_so_far(run_id, sweep)
        ended_at = self._run(run_id).ended_at
        return measured(run_id, sweep, ended_at, None if job is None else job.revision)

    # -- exporting a run ---------------------------------------------------------------------------------------------

    def export_id(self, run_id: str, *, include_data: bool) -> str:
        """Return the id of the job that exports a run as it is now; the id changes with the content of the ZIP file."""
        return _export_id(run_id, include_data, self._show_images(run_id, include_data))

    def export(self, run_id: str, *, include_data: bool) -> Job:
        """Make the ZIP file of a run; its report shows images unless the person may not open them."""
        show = self._show_images(run_id, include_data)
        with self._changing():
            return export_jobs.start_export(
                open_store(), run_id, include_data=include_data, show_images=show, owner=self._person.person_id
            )

    def write_export(
        self, run_id: str, path: Path, *, include_data: bool | None = None, progress: ProgressCallback = silent
    ) -> Exported:
        """Write the ZIP file of a run to a path at once.

        Args:
            include_data: Whether the images are packed; None for those that AquaDash drew.
            progress: Called with the step and the done fraction, 0 to 1.
        """
        from aquadash.export.bundle import export_run

        show = self._show_images(run_id, bool(include_data))
        return export_run(open_store(), run_id, path, include_data=include_data, show_images=show, progress=progress)

    def import_run(self, upload: str, *, called: str, write: Callable[[Path], object]) -> Job:
        """Import a run that :meth:`export` has packed; it then belongs to the person.

        Args:
            upload: The id of the upload, which becomes part of the job's id.
            called: The name of the file, for messages.
            write: Writes the file to the given path.
        """
        self._rights.require(Action.UPLOAD)

        def write_within_limit(path: Path) -> None:
            write(path)
            self._limits.check_upload(path.stat().st_size)

        with self._changing():
            return export_jobs.start_import(upload, called=called, write=write_within_limit, owner=self._person)

    # -- within ------------------------------------------------------------------------------------------------------

    def _refusal_to_stop(self, job: Job) -> str:
        if self._person.leads or (self._person.person_id and job.owner == self._person.person_id):
            return ""
        # Read the run last: most jobs are stopped by the person who started them.
        try:
            run = open_store().read(str(job.request.get("run_id", job.run)))
        except UnknownNameError:
            return "Somebody else has asked for this work. Only they or the teacher can stop it."
        return self._rights.refusal(Action.STOP_JOB, run.resource)

    def _run(self, run_id: str) -> Run:
        return runs.Runs(self._person).get(run_id)

    def _show_images(self, run_id: str, include_data: bool) -> bool:
        """Return whether the ZIP of a run may show its images; refuse an export that the person may not have."""
        run = self._run(run_id)
        self._rights.require(Action.OPEN_MODEL, run.resource)
        try:
            DataSets(self._person).require(run.config.data.source)
        except NotAllowedError:
            if include_data:
                raise
            return False
        return True


def _read_measurement(run_id: str, sweep: SweepRequest | None, *version: object) -> Measurement | None:
    from aquadash.robustness.job import result_of

    store = open_store()
    return result_of(store, store.get(run_id), sweep)


#: An ended measurement; its version has the job's revision, which grows with each report of its worker.
measured = kept(64)(_read_measurement)
_measured_so_far = kept(8, seconds=FRESH_SECONDS)(_read_measurement)


@kept(64, seconds=FRESH_SECONDS)
def _export_id(run_id: str, include_data: bool, show_images: bool) -> str:
    return export_jobs.export_id(open_store(), run_id, include_data=include_data, show_images=show_images)
