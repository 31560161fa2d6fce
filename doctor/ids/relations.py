"""How the ids of children follow from the id of their parent, counted over pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from doctor.ids.tokens import SEPARATORS
from doctor.model.ids import Among, Relation, RelationKind
from doctor.schema.bounds import at_least

SURE = 0.75
MOST_SHOWN = 5
ORDER: tuple[RelationKind, ...] = ("same id", "parent prefix", "shared first token")
Pair = tuple[str, str]


def relations_of(pairs: Sequence[Pair], *, is_whole: bool = True) -> tuple[Relation, ...]:
    """Return the relation of only children, and that of children with siblings.

    ``pairs`` are the ids of parent and child, one per child. Where there are more of them than
    these it is not known who has siblings: all are one group.
    """
    if pairs and not is_whole:
        return (_relation("children", pairs),)
    many = Counter(parent for parent, _ in pairs)
    alone = [one for one in pairs if many[one[0]] == 1]
    several = [one for one in pairs if many[one[0]] > 1]
    found = []
    if alone:
        found.append(_relation("only children", alone))
    if several:
        found.append(_relation("one of several", several))
    return tuple(found)


def kind_of_pair(parent: str, child: str) -> RelationKind:
    """Return the closest relation between two ids."""
    if parent == child:
        return "same id"
    if child.startswith(parent) and child[len(parent)] in SEPARATORS:
        return "parent prefix"
    return "shared first token" if first_token(parent) == first_token(child) else "none"


def first_token(text: str) -> str:
    """Return what stands before the first separator."""
    place = next((at for at, one in enumerate(text) if one in SEPARATORS), len(text))
    return text[:place]


def holds(kind: RelationKind, parent: str, child: str) -> bool:
    """Tell whether two ids are as closely related as ``kind`` says."""
    found = kind_of_pair(parent, child)
    return kind == "none" or (found != "none" and ORDER.index(found) <= ORDER.index(kind))


def _relation(among: Among, pairs: Sequence[Pair]) -> Relation:
    kinds = [kind_of_pair(*one) for one in pairs]
    counted = Counter(kinds)
    chance = _by_chance(pairs)
    hits = 0
    kind: RelationKind = "none"
    for one in ORDER:
        hits += counted[one]
        trivial = one == "shared first token" and chance > hits / len(pairs) / 2
        if at_least(hits, len(pairs)) >= SURE and not trivial:
            kind = one
            break
    sure = at_least(hits, len(pairs)) if kind != "none" else 0.0
    against = [one for one in dict.fromkeys(pairs) if not holds(kind, *one)]
    if kind == "none":
        against = [one for one, found in zip(pairs, kinds, strict=True) if found == "none"]
    counts: dict[RelationKind, int] = {one: counted[one] for one in (*ORDER, "none")}
    return Relation(
        among,
        kind,
        counts,
        len(pairs),
        sure,
        chance,
        tuple(dict.fromkeys(against))[:MOST_SHOWN],
    )


def _by_chance(pairs: Sequence[Pair]) -> float:
    """Return how often a child and any parent at all would share their first token."""
    parents = Counter(first_token(parent) for parent, _ in pairs)
    children = Counter(first_token(child) for _, child in pairs)
    return sum(count * parents[token] for token, count in children.items()) / len(pairs) ** 2
