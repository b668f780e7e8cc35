"""The class: its people, codes and limits, as far as a person may see and change them."""

from aquadash.classroom import codes, limits
from aquadash.classroom.codes import Codes
from aquadash.classroom.limits import ClassLimits
from aquadash.classroom.sessions import Member, open_sessions
from aquadash.lab import Part
from aquadash.lab.rights import Action
from aquadash.people import Resource, Role


class People(Part):
    """``Lab.people``: see there. Only the teacher and the owner may change the class."""

    def all(self) -> list[Member]:
        """Everybody who has joined, teachers first, then by name."""
        self._look()
        return open_sessions().people()

    def remove(self, person_id: str) -> None:
        """End a person's sessions. They may join again by a link or under another name, a teacher under their own."""
        self._lead()
        open_sessions().remove(person_id)

    def clear(self) -> list[str]:
        """Forget students who are away and own nothing, which frees their names; return these names in order."""
        self._lead()
        return open_sessions().clear(_makers())

    def rejoin_code(self, person_id: str) -> str:
        """Return the end of a link with which a person may join again, once, within 15 minutes."""
        self._lead()
        return open_sessions().rejoin_code(person_id)

    def codes(self) -> Codes:
        """The class's codes; made where there are none yet."""
        self._lead()
        return codes.codes()

    def student_code(self) -> str:
        """Return the code that students type; every member may read it and pass it on."""
        self._look()
        return codes.codes().student

    def renew_code(self, role: Role) -> Codes:
        """Make a new code for a role; everybody who has joined stays in."""
        self._lead()
        return codes.renew(role)

    def set_limits(self, wanted: ClassLimits) -> None:
        """Set the limits of the class; they hold from now on."""
        self._lead()
        limits.save(wanted)

    def _lead(self) -> None:
        self._rights.require(Action.SETTINGS)

    def _look(self) -> None:
        self._rights.require(Action.VIEW, Resource("class", "the class"))


def _makers() -> set[str]:
    """Return the ids of the owners of runs, searches, data sets and pipelines, those hidden or in the bin included."""
    from aquadash.augment import saved_pipelines
    from aquadash.data.folder.about import all_kept
    from aquadash.search.store import open_search_store
    from aquadash.store import open_store

    store = open_store()
    owners = {run.owner for in_bin in (False, True) for run in store.list_runs(deleted=in_bin)}
    owners |= {head.resource.owner for head in open_search_store().heads()}
    owners |= {kept.owner for kept in all_kept().values()}
    return owners | saved_pipelines.owner_ids()
