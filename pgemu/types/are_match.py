"""Matching with PostgreSQL's rules (PostgreSQL: regex/regexec.c, rege_dfa.c).

An automaton of a node's language says where a match may end; the longest or the shortest of these
is taken, as the node prefers, and then split among its children in the order of `cdissect`.  The
automata are deterministic and made as they are used; constraints are evaluated at their position.
"""

from __future__ import annotations

from typing import Any

import regex

from pgemu.types.are_tree import INFINITE, SHORTER, Lang, Sub

MAX_STATES = 2000


class CharSet:
    """A class of characters with what it said about each one."""

    def __init__(self, source: str) -> None:
        self.match = regex.compile(source, regex.V1).match
        self.known: dict[str, bool] = {}

    def __contains__(self, char: str) -> bool:
        found = self.known.get(char)
        if found is None:
            found = self.known[char] = self.match(char) is not None
        return found


class Nfa:
    """States 0 (start) .. n-1; state 1 accepts."""

    def __init__(self, lang: Lang, sets: dict[str, CharSet]) -> None:
        self.empty: list[list[int]] = [[], []]
        self.arcs: list[list[tuple[CharSet, int]]] = [[], []]
        self.constraints: list[list[tuple[Lang, int]]] = [[], []]
        self.sets = sets
        self.constrained = False
        self.add(lang, 0, 1, True)

    def state(self) -> int:
        self.empty.append([])
        self.arcs.append([])
        self.constraints.append([])
        return len(self.empty) - 1

    def add(self, lang: Lang, start: int, end: int, check: bool) -> None:
        """check: constraints count (they do not inside a back-reference's copy)."""
        kind = lang.kind
        if kind == "set":
            known = self.sets.get(lang.source)
            if known is None:
                known = self.sets[lang.source] = CharSet(lang.source)
            self.arcs[start].append((known, end))
        elif kind == "cat":
            for item in lang.items[:-1]:
                middle = self.state()
                self.add(item, start, middle, check)
                start = middle
            self.add(lang.items[-1], start, end, check)
        elif kind == "alt":
            for item in lang.items:
                self.add(item, start, end, check)
        elif kind == "rep":
            self.repeat(lang, start, end, check)
        elif kind == "cap":
            self.add(lang.items[0], start, end, check)
        elif kind == "ref":
            self.add(lang.items[0], start, end, False)
        elif kind in ("con", "look") and check:
            self.constrained = True
            self.constraints[start].append((lang, end))
        else:
            self.empty[start].append(end)

    def repeat(self, lang: Lang, start: int, end: int, check: bool) -> None:
        item = lang.items[0]
        for _ in range(lang.low):
            middle = self.state()
            self.add(item, start, middle, check)
            start = middle
        if lang.high == INFINITE:
            loop, back = self.state(), self.state()
            self.empty[start].append(loop)
            self.add(item, loop, back, check)
            self.empty[back].append(loop)
            self.empty[loop].append(end)
            return
        for _ in range(lang.high - lang.low):
            self.empty[start].append(end)
            middle = self.state()
            self.add(item, start, middle, check)
            start = middle
        self.empty[start].append(end)


class Dfa:
    """The subsets of an Nfa's states, made as the text asks for them."""

    def __init__(self, nfa: Nfa) -> None:
        self.nfa = nfa
        self.steps: dict[frozenset[int], dict[str, frozenset[int]]] = {}

    def closure(self, states: set[int], run: Run, position: int) -> frozenset[int]:
        nfa = self.nfa
        todo = list(states)
        while todo:
            state = todo.pop()
            following = nfa.empty[state]
            if nfa.constraints[state]:
                holding = [to for lang, to in nfa.constraints[state] if run.holds(lang, position)]
                following = following + holding
            for target in following:
                if target not in states:
                    states.add(target)
                    todo.append(target)
        return frozenset(states)

    def step(self, states: frozenset[int], char: str, run: Run, position: int) -> frozenset[int]:
        """The states behind a character; position is where it ends."""
        arcs = self.nfa.arcs
        targets = {to for state in states for known, to in arcs[state] if char in known}
        return self.closure(targets, run, position) if targets else frozenset()

    def ends(self, run: Run, begin: int, limit: int, least: int | None) -> int:
        """The last end up to limit, or with least the first end from there on; -1 for none."""
        text, constrained = run.text, self.nfa.constrained
        states = self.closure({0}, run, begin)
        found = -1
        position = begin
        if len(self.steps) > MAX_STATES:
            self.steps.clear()
        while True:
            if 1 in states and (least is None or position >= least):
                found = position
                if least is not None:
                    return found
            if position >= limit:
                return found
            char = text[position]
            position += 1
            if constrained:
                states = self.step(states, char, run, position)
            else:
                known = self.steps.setdefault(states, {})
                following = known.get(char)
                if following is None:
                    following = known[char] = self.step(states, char, run, position)
                states = following
            if not states:
                return found

    def longest(self, run: Run, begin: int, limit: int) -> int:
        return self.ends(run, begin, limit, None)

    def shortest(self, run: Run, begin: int, least: int, limit: int) -> int:
        return self.ends(run, begin, limit, least)


class Machine:
    """A tree with its automata and the pattern that finds where a match starts."""

    def __init__(self, tree: Sub, groups: int, finder: Any, icase: bool, backrefs: bool) -> None:
        self.tree = tree
        self.groups = groups
        self.finder = finder
        self.icase = icase
        self.backrefs = backrefs
        self.sets: dict[str, CharSet] = {}
        self.automata: dict[Lang, Dfa] = {}
        self.conditions: dict[Lang, Any] = {}

    def dfa(self, lang: Lang) -> Dfa:
        known = self.automata.get(lang)
        if known is None:
            known = self.automata[lang] = Dfa(Nfa(lang, self.sets))
        return known

    def search(self, text: str, start: int = 0) -> Match | None:
        """The first match from there on."""
        while start <= len(text):
            found = self.finder.search(text, start)
            if found is None:
                return None
            match = Match(self, text, found.start())
            if not self.backrefs or match.resolve():
                return match
            start = found.start() + 1
        return None


class Match:
    """A match of which only the start is known until more is asked for."""

    def __init__(self, machine: Machine, text: str, begin: int) -> None:
        self.re = machine
        self.text = text
        self.begin = begin
        self.spans: list[tuple[int, int]] | None = None

    def resolve(self) -> bool:
        if self.spans is None:
            spans = Run(self.re, self.text).match_at(self.begin)
            if spans is None:
                return False
            self.spans = spans
        return True

    def span(self, group: int = 0) -> tuple[int, int]:
        self.resolve()
        assert self.spans is not None
        return self.spans[group]

    def start(self, group: int = 0) -> int:
        return self.begin if group == 0 else self.span(group)[0]

    def end(self, group: int = 0) -> int:
        return self.span(group)[1]

    def __getitem__(self, group: int) -> str | None:
        start, end = self.span(group)
        return None if start < 0 else self.text[start:end]

    def groups(self) -> tuple[str | None, ...]:
        return tuple(self[group] for group in range(1, self.re.groups + 1))


class Run:
    """One match being taken apart."""

    def __init__(self, machine: Machine, text: str) -> None:
        self.machine = machine
        self.text = text
        self.captures: dict[int, tuple[int, int]] = {}
        self.truths: dict[tuple[Lang, int], bool] = {}
        self.behind: dict[Dfa, set[int]] = {}

    def match_at(self, begin: int) -> list[tuple[int, int]] | None:
        tree = self.machine.tree
        dfa = self.machine.dfa(tree.lang)
        shorter = bool(tree.flags & SHORTER)
        least, most = begin, len(self.text)
        while least <= most:
            if shorter:
                end = dfa.shortest(self, begin, least, most)
            else:
                end = dfa.longest(self, begin, most)
            if end < 0:
                return None
            self.captures.clear()
            if self.dissect(tree, begin, end):
                groups = range(1, self.machine.groups + 1)
                return [(begin, end), *(self.captures.get(n, (-1, -1)) for n in groups)]
            if shorter:
                least = end + 1
            else:
                most = end - 1
        return None

    # ---- constraints

    def holds(self, lang: Lang, position: int) -> bool:
        key = (lang, position)
        known = self.truths.get(key)
        if known is None:
            known = self.truths[key] = self.evaluate(lang, position)
        return known

    def evaluate(self, lang: Lang, position: int) -> bool:
        if lang.kind == "con":
            condition = self.machine.conditions.get(lang)
            if condition is None:
                condition = self.machine.conditions[lang] = regex.compile(lang.source, regex.V1)
            return condition.match(self.text, position) is not None
        dfa = self.machine.dfa(lang.items[0])
        wanted = lang.source.endswith("=")
        if "<" not in lang.source:
            return (dfa.shortest(self, position, position, len(self.text)) >= 0) == wanted
        return self.ends_behind(dfa, position) == wanted

    def ends_behind(self, dfa: Dfa, position: int) -> bool:
        """Does a match that started anywhere end here?"""
        known = self.behind.get(dfa)
        if known is None:
            known = self.behind[dfa] = set()
            states: frozenset[int] = frozenset()
            for at in range(len(self.text) + 1):
                states = dfa.closure({0} | states, self, at)
                if 1 in states:
                    known.add(at)
                if at < len(self.text):
                    states = dfa.step(states, self.text[at], self, at + 1)
        return position in known

    # ---- taking apart

    def dissect(self, sub: Sub, begin: int, end: int) -> bool:
        if sub.op == "=":
            good = True
        elif sub.op == "b":
            good = self.back_reference(sub, begin, end)
        elif sub.op == ".":
            good = self.concatenation(sub, begin, end)
        elif sub.op == "|":
            good = any(self.fits(child, begin, end) for child in sub.children)
        elif sub.op == "*":
            good = self.iteration(sub, begin, end)
        else:
            good = self.dissect(sub.children[0], begin, end)
        if good and sub.capture:
            self.captures[sub.capture] = (begin, end)
        return good

    def fits(self, sub: Sub, begin: int, end: int) -> bool:
        dfa = self.machine.dfa(sub.lang)
        return dfa.longest(self, begin, end) == end and self.dissect(sub, begin, end)

    def zap(self, sub: Sub) -> None:
        """Forget what is captured inside."""
        if sub.capture:
            self.captures.pop(sub.capture, None)
        for child in sub.children:
            self.zap(child)

    def concatenation(self, sub: Sub, begin: int, end: int) -> bool:
        left, right = sub.children
        first, second = self.machine.dfa(left.lang), self.machine.dfa(right.lang)
        shorter = bool(left.flags & SHORTER)
        if shorter:
            middle = first.shortest(self, begin, begin, end)
        else:
            middle = first.longest(self, begin, end)
        while middle >= 0:
            if second.longest(self, middle, end) == end:
                if self.dissect(left, begin, middle) and self.dissect(right, middle, end):
                    return True
                self.zap(left)
                self.zap(right)
            if middle == (end if shorter else begin):
                return False
            if shorter:
                middle = first.shortest(self, begin, middle + 1, end)
            else:
                middle = first.longest(self, begin, middle - 1)
        return False

    def back_reference(self, sub: Sub, begin: int, end: int) -> bool:
        captured = self.captures.get(sub.reference)
        if captured is None:
            return False
        wanted = self.text[captured[0] : captured[1]]
        found = self.text[begin:end]
        if not wanted:
            return begin == end
        times, rest = divmod(len(found), len(wanted))
        if rest or times < sub.low or (times > sub.high and sub.high != INFINITE):
            return False
        if self.machine.icase:
            return (wanted * times).lower() == found.lower()
        return wanted * times == found

    def iteration(self, sub: Sub, begin: int, end: int) -> bool:
        child = sub.children[0]
        shorter = bool(child.flags & SHORTER)
        nothing = sub.low <= 0 and begin == end
        if nothing and shorter:
            return True
        least = max(sub.low, 1)
        most = end - begin
        if sub.high != INFINITE:
            most = min(most, sub.high)
        most = max(most, least)
        search = self.shorter_parts if shorter else self.longer_parts
        # an empty iteration, which sets the groups, goes before none
        return search(child, begin, end, least, most) or nothing

    def verified(self, child: Sub, points: list[int], known: int) -> int:
        """How many of the parts are good, given that the first known ones are."""
        for number in range(known, len(points) - 1):
            self.zap(child)
            if not self.dissect(child, points[number], points[number + 1]):
                return number
        return len(points) - 1

    def longer_parts(self, child: Sub, begin: int, end: int, least: int, most: int) -> bool:
        """Parts as long as can be (citerdissect)."""
        dfa = self.machine.dfa(child.lang)
        points = [begin]
        limit, known = end, 0
        while True:
            previous = points[-1]
            stop = dfa.longest(self, previous, limit)
            if stop >= 0:
                points.append(stop)
                count = len(points) - 1
                known = min(known, count - 1)
                if stop != end:
                    useless = stop == previous and (count >= least or least - count < end - stop)
                    if count < most and not useless:
                        limit = end
                        continue
                    if count >= most:
                        points.pop()
                elif count >= least:
                    known = self.verified(child, points, known)
                    if known == count:
                        return True
            while len(points) > 1:
                count, previous = len(points) - 1, points[-2]
                if points[-1] > previous:
                    limit = points[-1] - 1
                    if limit > previous or (count < least and least - count >= end - previous):
                        break
                points.pop()
            else:
                return False
            points.pop()

    def shorter_parts(self, child: Sub, begin: int, end: int, least: int, most: int) -> bool:
        """Parts as short as can be (creviterdissect)."""
        dfa = self.machine.dfa(child.lang)
        points = [begin]
        limit, known = begin, 0
        while True:
            count, previous = len(points), points[-1]
            empty = limit == previous and limit != end
            if empty and (count >= least or least - count < end - limit):
                limit += 1
            if count >= most:
                limit = end
            stop = dfa.shortest(self, previous, limit, end) if limit <= end else -1
            if stop >= 0:
                points.append(stop)
                known = min(known, count - 1)
                if stop != end:
                    if count < most:
                        limit = stop
                        continue
                    points.pop()
                elif count >= least:
                    known = self.verified(child, points, known)
                    if known == count:
                        return True
            while len(points) > 1:
                if points[-1] < end:
                    limit = points[-1] + 1
                    break
                points.pop()
            else:
                return False
            points.pop()
