"""A stand-in for Java that knows Android's published API and refuses every call that is not in it.

Its traps are those that the real pyjnius showed on a real Java (pyjnius 1.9.0 on OpenJDK 17): a UUID has no
hash; an object of Python's fits every object that a Java method may take, so that an overload can be the
wrong one without a word; and on a thread of Python's the app's own interfaces are "not visible".
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tests.android import published

OWN = ("org/kivy", "com/github", "org.kivy", "com.github")
NUMBERS, STRINGS = "androidNative.Array<number>", "androidNative.Array<string>"


class JavaException(Exception):  # noqa: N818  (pyjnius calls it so)
    """As pyjnius raises it."""

    def __init__(self, classname: str, message: str = "") -> None:
        super().__init__(f"JVM exception occurred: {message} {classname}")
        self.classname, self.innermessage = classname, message


class NotPublishedError(AssertionError):
    """The call is not part of Android's API on this version, or not with these arguments."""


class PythonJavaClass:
    """Base of what Java calls back."""

    __javainterfaces__: list[str] = []

    def __init__(self, *_args: Any, **_more: Any) -> None:
        current().show(self)


def java_method(signature: str, name: str | None = None) -> Callable[[Any], Any]:
    """Mark a method as one that Java calls."""

    def mark(method: Any) -> Any:
        method.__javasignature__, method.__javaname__ = signature, name
        return method

    return mark


class ByteArray:
    """A `byte[]` as pyjnius hands it over."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, place: int) -> int:
        return self._data[place]

    def tolist(self) -> list[int]:
        return list(self._data)


class JavaObject:
    """An object of a published class; what it does is a plain Python object's affair."""

    def __init__(self, java: Java, name: str, fake: Any) -> None:
        self._java, self._name, self.fake = java, name, fake

    def __getattr__(self, member: str) -> Any:
        return self._java.member(self._name, member, self.fake, static=False)


class Comparable(JavaObject):
    """pyjnius gives what Java can compare an `__eq__`, and Python then takes away the hash."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JavaObject) and self.fake == other.fake

    __hash__ = None  # type: ignore[assignment]


class JavaClass:
    """A published class; calling it constructs."""

    def __init__(self, java: Java, name: str) -> None:
        self._java, self.name = java, name

    def __getattr__(self, member: str) -> Any:
        return self._java.member(self.name, member, self._java.fakes.get(self.name), static=True)

    def __call__(self, *args: Any) -> Any:
        self._java.check(self.name, "constructor", args, static=False)
        return self._java.wrap(self.name, self._java.fakes[self.name](*args))


class Java:
    """One Java with one Android. `fakes` say what objects do, `called` what was called, in order."""

    def __init__(self, sdk: int) -> None:
        self.sdk = sdk
        self.types = published.load()
        self.fakes: dict[str, Any] = {}
        self.called: list[tuple[str, str, tuple[Any, ...]]] = []
        self._here = threading.local()

    # -- threads ------------------------------------------------------------------------------------------

    def begins(self) -> None:
        """This thread is one of Java's."""
        self._here.java = True

    def knows_the_app(self) -> bool:
        """Whether this thread's class loader knows the app's own classes."""
        return threading.current_thread() is threading.main_thread() or getattr(self._here, "java", False)

    def show(self, callback: PythonJavaClass) -> None:
        """Python's object becomes one of Java's."""
        if not self.knows_the_app() and any(name.startswith(OWN) for name in callback.__javainterfaces__):
            raise JavaException("java.lang.IllegalArgumentException", "not visible from class loader: null")

    # -- classes ------------------------------------------------------------------------------------------

    def find(self, name: str) -> JavaClass:
        """`autoclass`."""
        if name.startswith(OWN) and not self.knows_the_app():
            raise JavaException("java.lang.ClassNotFoundException", name)
        known = self.types.get(name)
        if known is None and name not in self.fakes:
            raise JavaException("java.lang.ClassNotFoundException", name)
        if known is not None and known.since > self.sdk:
            raise JavaException("java.lang.ClassNotFoundException", f"{name} since {known.since}")
        return JavaClass(self, name)

    def wrap(self, name: str, fake: Any) -> JavaObject:
        """An object of that class."""
        return (Comparable if name == "java.util.UUID" else JavaObject)(self, name, fake)

    def cast(self, name: str, thing: JavaObject | None) -> JavaObject | None:
        """`cast`: the same object seen as another class, which it must be."""
        if thing is None:
            return None
        if not (self.inherits(thing._name, name) or self.inherits(name, thing._name)):
            raise NotPublishedError(f"{thing._name} is no {name}")
        return self.wrap(name, thing.fake)

    def inherits(self, name: str, ancestor: str) -> bool:
        """Whether one class is the other, or comes of it."""
        if ancestor in {name, "java.lang.Object"}:
            return True
        return any(self.inherits(parent, ancestor) for parent in self.parents(name))

    def parents(self, name: str) -> tuple[str, ...]:
        """Whom a class comes of."""
        published_ones = self.types[name].parents if name in self.types else ()
        return (*published_ones, *getattr(self.fakes.get(name), "PARENTS", ()))

    # -- members ------------------------------------------------------------------------------------------

    def member(self, name: str, member: str, fake: Any, *, static: bool) -> Any:
        """A constant, a field, or a method that checks how it is called."""
        field = self._field(name, member)
        if field is not None:
            return self._value(field, member, fake)
        if not self._overloads(name, member):
            if not _plain(fake, member):
                raise NotPublishedError(f"{name}.{member} is not published")
            if not callable(getattr(fake, member)):
                return getattr(fake, member)

        def call(*args: Any) -> Any:
            self.check(name, member, args, static=static)
            self.called.append((name, member, args))
            return getattr(fake, member)(*args)

        return call

    def check(self, name: str, member: str, args: tuple[Any, ...], *, static: bool) -> None:
        """Refuse what this Android would refuse, and what pyjnius would take for something else."""
        overloads = self._overloads(name, member)
        for argument in args:
            if isinstance(argument, PythonJavaClass):
                self.show(argument)
        if not overloads:
            return  # one of the app's own classes: tests/android/test_java_files.py reads those
        fitting = [
            one
            for one in overloads
            if one.static == static and one.since <= self.sdk and len(one.takes) == len(args)
            and all(self._fits(kind, argument) for kind, argument in zip(one.takes, args, strict=True))
        ]  # fmt: skip
        if not fitting:
            raise NotPublishedError(f"{name}.{member}{args!r} on API {self.sdk}: there are {overloads}")
        if len(fitting) > 1 and any(isinstance(argument, PythonJavaClass) for argument in args):
            raise NotPublishedError(f"{name}.{member}{args!r}: pyjnius may take any of {fitting}")

    def _overloads(self, name: str, member: str) -> list[published.Method]:
        found = list(self.types[name].methods.get(member, [])) if name in self.types else []
        if member == "constructor":
            return found
        return found + [one for parent in self.parents(name) for one in self._overloads(parent, member)]

    def _field(self, name: str, member: str) -> tuple[bool, str, int] | None:
        if name in self.types and member in self.types[name].fields:
            return self.types[name].fields[member]
        return next(filter(None, (self._field(parent, member) for parent in self.parents(name))), None)

    def _value(self, field: tuple[bool, str, int], member: str, fake: Any) -> Any:
        """The fake's own value, else the published constant's."""
        if hasattr(fake, member):
            return getattr(fake, member)
        _, kind, since = field
        if since > self.sdk:
            raise NotPublishedError(f"{member} is there since API {since}")
        return kind.strip('"') if kind.startswith('"') else int(kind)

    def _fits(self, kind: str, argument: Any) -> bool:
        plain = kind.removesuffix(" | null").strip()
        if argument is None:
            return plain not in {"number", "boolean"}
        simple = {"number": _is_number, "string": _is_string, "boolean": lambda a: isinstance(a, bool)}
        arrays = {NUMBERS: _are_numbers, STRINGS: _are_strings}
        known = simple.get(plain) or arrays.get(plain)
        if known is not None:
            return known(argument)
        if plain.startswith("java.lang.Class"):
            return isinstance(argument, JavaClass)
        if isinstance(argument, PythonJavaClass):
            return True  # pyjnius: it fits wherever an object does
        return isinstance(argument, JavaObject) and self._is(argument._name, plain)

    def _is(self, name: str, kind: str) -> bool:
        bare = kind.split("<", maxsplit=1)[0]
        if bare in {"any", "java.lang.Object"} or bare not in {
            known.replace("$", ".") for known in self.types
        }:
            return True
        return name.replace("$", ".") == bare or any(self._is(parent, kind) for parent in self.parents(name))


def _plain(fake: Any, member: str) -> bool:
    """A class that is not Android's own: what the fake has is what there is."""
    return getattr(fake, "OURS", False) and hasattr(fake, member)


def _is_number(argument: Any) -> bool:
    return isinstance(argument, int | float) and not isinstance(argument, bool)


def _is_string(argument: Any) -> bool:
    return isinstance(argument, str | PythonJavaClass)


def _are_numbers(argument: Any) -> bool:
    return isinstance(argument, bytes | bytearray | ByteArray) or (
        isinstance(argument, list) and all(_is_number(one) for one in argument)
    )


def _are_strings(argument: Any) -> bool:
    return isinstance(argument, list) and all(isinstance(one, str) for one in argument)


_now: list[Java] = []


def current() -> Java:
    """The Java of the running test."""
    return _now[-1]


def enter(java: Java) -> None:
    """Make it the Java of the running test."""
    _now[:] = [java]
