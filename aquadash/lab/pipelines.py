"""The augmentation pipelines that a person may read and change."""

from aquadash.augment import Library, PipelineSpec, library, saved_pipelines
from aquadash.augment.saved_pipelines import Draft
from aquadash.lab import Part
from aquadash.lab.rights import Action


class Pipelines(Part):
    """``Lab.pipelines``: see there."""

    def all(self) -> Library:
        """The built-in pipelines, then the saved ones; those that cannot be read are named."""
        return library()

    def save(self, spec: PipelineSpec, *, title: str, replace_name: str | None = None) -> PipelineSpec:
        """Save a pipeline under a title of 1 to 80 characters, from which its name follows; return it as saved.

        Args:
            spec: The pipeline; its own name and title are ignored.
            replace_name: The name of the saved pipeline to replace, which keeps its owner; None for a new one.

        Raises:
            ConfigError: The title or pipeline cannot be used, or another pipeline has the name already.
        """
        self._rights.require(Action.SAVE_PIPELINE)
        if replace_name is not None:
            self._rights.require(Action.CHANGE_PIPELINE, saved_pipelines.resource_of(replace_name))
        return saved_pipelines.save(spec, title=title, replace_name=replace_name, owner=self._person)

    def delete(self, name: str) -> None:
        """Delete a saved pipeline for good. Runs that were trained with it keep it."""
        self._rights.require(Action.CHANGE_PIPELINE, saved_pipelines.resource_of(name))
        saved_pipelines.delete(name)

    def draft(self) -> Draft | None:
        """Return the person's pipeline with changes that are not saved; None without one."""
        return saved_pipelines.draft(self._person.person_id) if self._rights.allow(Action.SAVE_PIPELINE) else None

    def keep_draft(self, draft: Draft | None) -> None:
        """Keep the person's one draft in place of the last; None forgets it. A stranger has none."""
        if self._rights.allow(Action.SAVE_PIPELINE):
            saved_pipelines.keep_draft(self._person.person_id, draft)
