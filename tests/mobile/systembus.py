"""A Linux desktop's system bus, as small as can be: what BlueZ would say, said over a real socket.

Bleak's genuine BlueZ backend and dbus-fast speak with it, so that no part of the phone is pretended.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast._private.unmarshaller import Unmarshaller

HEADER = 16


class Bus:
    """Answers every call; ``adapters`` are what BlueZ manages, ``refusal`` an error instead."""

    def __init__(self) -> None:
        self.adapters: dict[str, dict[str, Variant]] = {}
        self.refusal = ""
        self.scan_refusal = ""
        self.accepts = True

    def adapter(self, *, powered: bool = True, roles: list[str] | None = None) -> None:
        """One Bluetooth adapter."""
        properties = {
            "Address": Variant("s", "00:11:22:33:44:55"),
            "Powered": Variant("b", powered),
            "Roles": Variant("as", ["central", "peripheral"] if roles is None else roles),
        }
        self.adapters["/org/bluez/hci0"] = properties

    @asynccontextmanager
    async def running(self, path: Path) -> AsyncIterator[str]:
        """Listen; gives the address for DBUS_SYSTEM_BUS_ADDRESS."""
        server = await asyncio.start_unix_server(self._serve, path)
        try:
            yield f"unix:path={path}"
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not await self._authenticate(reader, writer):
                return
            while True:
                await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the phone has hung up
        finally:
            writer.close()

    async def _authenticate(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await reader.readexactly(1)
        while True:
            line = await reader.readuntil(b"\r\n")
            if line.startswith(b"BEGIN"):
                return True
            if not self.accepts:
                writer.write(b"REJECTED EXTERNAL\r\n")
                return False
            answer = b"AGREE_UNIX_FD\r\n" if line.startswith(b"NEGOTIATE") else b"OK 0123456789abcdef\r\n"
            writer.write(answer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(HEADER)
        body, fields = int.from_bytes(head[4:8], "little"), int.from_bytes(head[12:16], "little")
        rest = await reader.readexactly((fields + 7) // 8 * 8 + body)
        message = Unmarshaller(io.BytesIO(head + rest)).unmarshall()
        if message is not None and message.message_type is MessageType.METHOD_CALL:
            reply = self._reply(message)
            reply.sender, reply.serial = message.destination or "org.freedesktop.DBus", message.serial
            writer.write(reply._marshall(False))

    def _reply(self, call: Message) -> Message:
        answers: dict[str, tuple[str, list[Any]]] = {
            "Hello": ("s", [":1.7"]),
            "GetManagedObjects": ("a{oa{sa{sv}}}", [self._objects()]),
        }
        if call.member == "GetManagedObjects" and self.refusal:
            return Message.new_error(call, self.refusal, "no")
        if call.member in {"SetDiscoveryFilter", "StartDiscovery"} and self.scan_refusal:
            return Message.new_error(call, self.scan_refusal, "no")
        signature, content = answers.get(call.member or "", ("", []))
        return Message.new_method_return(call, signature, content)

    def _objects(self) -> dict[str, Any]:
        return {path: {"org.bluez.Adapter1": properties} for path, properties in self.adapters.items()}
