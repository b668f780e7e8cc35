"""What each person may do in a class: one table, which only the lab reads.

The maker of a resource owns it. Everybody may see what the teacher or the owner of the machine made; what a student has
made may be looked at by the others, but only the student and the teacher may change it or open its network or pictures.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from aquadash.errors import NotAllowedError
from aquadash.people import Person, Resource, Role

T = TypeVar("T")


@dataclass(frozen=True)
class Rule:
    """The rights of students. The teacher and the owner of the machine may do everything, strangers nothing."""

    #: The action in words, to follow "can": ``"stop it"``.
    does: str
    #: Whether a student may do it with their own resource, or at all if the action has no resource.
    own: bool = True
    #: Whether with a resource of the teacher or the owner of the machine.
    shared: bool = False
    #: Whether with a resource of another student.
    others: bool = False
    #: Advice for the person who is refused.
    hint: str = ""


class Action(Enum):
    """Something that a person may want to do, with the rule for it."""

    VIEW = Rule("look at it", shared=True, others=True)
    STOP = Rule("stop it")
    RESUME = Rule("let it go on", hint="Train with the same settings to have a run of your own.")
    LABEL = Rule("rename, note, tag, pin or archive it")
    GUESS = Rule("guess its result", hint="Guess when you start a run of your own.")
    DELETE = Rule("delete it")
    RESTORE = Rule("bring it back")
    OPEN_MODEL = Rule(
        "open its network",
        shared=True,
        hint="Train with the same settings to have a network of your own, or take one that the teacher made.",
    )
    MEASURE = Rule(
        "have its network measured", shared=True, hint="Train with the same settings to have a network of your own."
    )
    STOP_JOB = Rule("stop work that somebody else has asked for")
    OPEN_PICTURES = Rule(
        "open its pictures", shared=True, hint="Add your own pictures, or take a data set that all may use."
    )
    DELETE_PICTURES = Rule("delete or replace it")
    CHANGE_PIPELINE = Rule("replace or delete it", hint="Save your change under a name of your own instead.")
    # Actions without a resource.
    SUBMIT = Rule("start a training")
    SEARCH = Rule("start a search")
    SAVE_PIPELINE = Rule("save a pipeline")
    UPLOAD = Rule("upload something")
    READ_FOLDER = Rule("read a folder of the server", own=False, hint="Upload the pictures instead.")
    ADD_FOR_ALL = Rule("add something for the whole class", own=False)
    REORDER = Rule("change the order of the queue", own=False)
    HIDE = Rule("hide a run or search from the class", own=False)
    SETTINGS = Rule("change the settings and limits of the class", own=False)


@dataclass(frozen=True)
class Rights:
    """The rights of one person."""

    person: Person

    def refusal(self, action: Action, resource: Resource | None = None) -> str:
        """Return why the person may not take an action (on a resource), in words for people; empty if they may."""
        person = self.person
        if person.leads:
            return ""
        if person.role is Role.STRANGER:
            return (
                "You have not joined the class, or your time in it is over. Join it with the code that the teacher "
                "shows."
            )
        rule = action.value
        if resource is None:
            return "" if rule.own else f"Only the teacher can {rule.does}. {rule.hint or 'Ask your teacher.'}"
        is_own = bool(person.person_id) and resource.owner == person.person_id
        if resource.hidden and not is_own:
            return f"The teacher has hidden this {resource.kind} from the class. Ask your teacher to show it again."
        is_others = not is_own and not resource.shared
        if rule.own if is_own else rule.others if is_others else rule.shared:
            return ""
        if is_others and resource.kind == "data set":
            # The title would tell other students what the pictures show.
            return (
                f"This data set holds another student's pictures. Only its owner or the teacher can {rule.does}. "
                f"{rule.hint or 'Ask your teacher.'}"
            )
        if is_others:
            owner = resource.owner_name or "another student"
            of, may, hint = f"belongs to {owner}", f"{owner} or the teacher", f"Ask {owner} or your teacher."
        else:
            of, may, hint = "is for the whole class", "the teacher", "Ask your teacher."
        return f"The {resource.kind} “{resource.name}” {of}. Only {may} can {rule.does}. {rule.hint or hint}"

    def allow(self, action: Action, resource: Resource | None = None) -> bool:
        """Return whether the person may take an action."""
        return not self.refusal(action, resource)

    def require(self, action: Action, resource: Resource | None = None) -> None:
        """Refuse an action that the person may not take; the error names the owner and the person to ask."""
        if reason := self.refusal(action, resource):
            raise NotAllowedError(reason)

    def seen(self, resources: Iterable[T], resource_of: Callable[[T], Resource]) -> list[T]:
        """Return the resources that the person may look at, in their order."""
        if self.person.leads:
            return list(resources)
        return [one for one in resources if self.allow(Action.VIEW, resource_of(one))]
