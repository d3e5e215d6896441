"""Geometry of the report's charts, in units of their drawings."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from curate.explore.topics import Spot

WIDTH, HEIGHT = 520, 150
MAP_WIDTH, MAP_HEIGHT, MARGIN = 900, 560, 22
APART = 26  # between the numbers on the map
AROUND = 60  # of a point, where its neighbours lie
Place: TypeAlias = tuple[float, float]


def bars(histogram: Sequence[dict[str, float]], unit: str = "") -> list[dict[str, Any]]:
    """A histogram's bars in a chart of `WIDTH` x `HEIGHT`, with the words for each."""
    top = max((entry["count"] for entry in histogram), default=0) or 1
    step = WIDTH / max(len(histogram), 1)
    return [
        {
            "x": round(place * step + 1, 1),
            "width": round(max(step - 2, 1), 1),
            "y": round(HEIGHT - HEIGHT * entry["count"] / top, 1),
            "height": round(HEIGHT * entry["count"] / top, 1),
            "label": f"{entry['from']:,} to {entry['to']:,}{unit and ' '}{unit}: {entry['count']:,}",
        }
        for place, entry in enumerate(histogram)
    ]


def spots_by_topic(spots: Sequence[Spot]) -> list[dict[str, Any]]:
    """The map's points topic by topic, the topicless first, with a place for each topic's number that none covers."""
    groups: dict[int, list[Spot]] = {}
    for spot in spots:
        groups.setdefault(spot.topic, []).append(spot)
    taken: list[Place] = []
    drawn = []
    for topic, some in sorted(groups.items()):
        places = [(_x(spot.x), _y(spot.y)) for spot in some]
        if topic:
            taken.append(_free(_densest(places), taken))
        points = [{"x": x, "y": y, "text": spot.instruction} for (x, y), spot in zip(places, some, strict=True)]
        mark = {"x": taken[-1][0], "y": taken[-1][1]} if topic else None
        drawn.append({"topic": topic, "points": points, "mark": mark})
    return drawn


def _densest(places: Sequence[Place]) -> Place:
    """The middle of the place with the most others around it and of those."""
    points = np.array(places)
    around = max((np.hypot(*(points - point).T) <= AROUND for point in points), key=np.count_nonzero)
    x, y = points[around].mean(axis=0).round(1).tolist()
    return x, y


def _x(share: float) -> float:
    return round(MARGIN + share * (MAP_WIDTH - 2 * MARGIN), 1)


def _y(share: float) -> float:
    return round(MAP_HEIGHT - MARGIN - share * (MAP_HEIGHT - 2 * MARGIN), 1)


def _free(wanted: Place, taken: Sequence[Place]) -> Place:
    """The place nearest to the one wanted, on a grid around it and inside the map, that is apart from those taken."""
    steps = range(-10, 11)
    around = sorted(((x, y) for x in steps for y in steps), key=lambda step: (step[0] ** 2 + step[1] ** 2, step))
    places = ((round(wanted[0] + x * APART / 2, 1), round(wanted[1] + y * APART / 2, 1)) for x, y in around)
    inside = (
        place
        for place in places
        if MARGIN <= place[0] <= MAP_WIDTH - MARGIN and MARGIN <= place[1] <= MAP_HEIGHT - MARGIN
    )
    free = (place for place in inside if all(abs(place[0] - x) + abs(place[1] - y) >= APART for x, y in taken))
    return next(free, wanted)
