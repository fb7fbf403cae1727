"""The form of sync, in and out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from protocol import bulletin, lockrecord, manifest, token
from server.access.domain.cursor import MARK_LENGTH, MAX_LENGTH
from server.config.rest.fields import Base64UrlField, VersionField


class SyncRequest(serializers.Serializer[Any]):
    """What a phone asks with."""

    cursor = serializers.CharField(allow_null=True, max_length=MAX_LENGTH, help_text="null = everything")
    app_version = VersionField()


class LookRequest(serializers.Serializer[Any]):
    """What a phone asks with when it only wants to know whether there is news."""

    mark = Base64UrlField(
        least=MARK_LENGTH, most=MARK_LENGTH, help_text="first 16 bytes of SHA-256 of the cursor's text"
    )
    app_version = VersionField()


class LookResponse(serializers.Serializer[Any]):
    """Whether a sync would bring anything."""

    server_time = serializers.IntegerField()
    news = serializers.BooleanField()


class RevokedRequest(serializers.Serializer[Any]):
    """What a phone asks with when its person is not signed in."""

    bearer_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    cursor = serializers.CharField(
        allow_null=True, max_length=MAX_LENGTH, help_text="null = it has none: everything revoked is named"
    )


class RevokedResponse(serializers.Serializer[Any]):
    """What of the rights it holds has been taken back."""

    server_time = serializers.IntegerField()
    removed_rights = serializers.ListField(child=Base64UrlField(most=token.TOKEN_ID_LENGTH))


class FallbackSerializer(serializers.Serializer[Any]):
    """How to get in without the phone."""

    kind = serializers.CharField()
    place = serializers.CharField()
    phone = serializers.CharField()
    hours = serializers.CharField()


class DoorSerializer(serializers.Serializer[Any]):
    """A door on the bearer's way."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    address = serializers.CharField()
    entrance = serializers.CharField()
    floor = serializers.CharField()
    number = serializers.CharField()
    fallback = FallbackSerializer()
    binding = Base64UrlField(most=8, allow_null=True, help_text="null = no right at this door")
    lock_name = serializers.CharField()


class ShiftSerializer(serializers.Serializer[Any]):
    """The shift that runs, or the next."""

    id = serializers.IntegerField()
    team = serializers.CharField()
    starts_at = serializers.IntegerField()
    ends_at = serializers.IntegerField()


class VisitSerializer(serializers.Serializer[Any]):
    """A visit; doors from the street inwards."""

    id = serializers.IntegerField()
    starts_at = serializers.IntegerField()
    ends_at = serializers.IntegerField()
    alarm_code = serializers.CharField()
    door_ids = serializers.ListField(child=serializers.IntegerField())


class AlarmSerializer(serializers.Serializer[Any]):
    """An acute call that the bearer is asked to take, or has taken; doors from the street inwards."""

    id = serializers.IntegerField()
    alarm_code = serializers.CharField()
    door_ids = serializers.ListField(child=serializers.IntegerField())
    state = serializers.ChoiceField(choices=["offered", "taken"])
    raised_at = serializers.IntegerField()
    respond_by = serializers.IntegerField(
        help_text="then others are asked as well; answering is still welcome"
    )
    expires = serializers.IntegerField(help_text="taken: until when the right lasts")


class RightSerializer(serializers.Serializer[Any]):
    """A token with everything needed to use it."""

    binding = Base64UrlField(most=token.BINDING_LENGTH)
    token_id = Base64UrlField(most=token.TOKEN_ID_LENGTH)
    token = Base64UrlField(most=token.MAX_SIZE)
    not_before = serializers.IntegerField()
    expires = serializers.IntegerField()
    scope = serializers.IntegerField()
    lock_record = Base64UrlField(most=lockrecord.MAX_SIZE)
    bulletin = Base64UrlField(most=bulletin.MAX_SIZE)


class NewsSerializer(serializers.Serializer[Any]):
    """A newer bulletin for a binding the phone holds rights for."""

    binding = Base64UrlField(most=token.BINDING_LENGTH)
    seq = serializers.IntegerField()
    bulletin = Base64UrlField(most=bulletin.MAX_SIZE)


class SupportSerializer(serializers.Serializer[Any]):
    """Whom to call, and what to do at a door that will not open."""

    phone = serializers.CharField()
    deviation_routine_sv = serializers.CharField()
    deviation_routine_en = serializers.CharField()


class SyncResponse(serializers.Serializer[Any]):
    """Everything that changed since the cursor; shift, visits, alarms and support are always whole."""

    server_time = serializers.IntegerField()
    minimum_app_version = serializers.CharField()
    cursor = serializers.CharField()
    manifest = Base64UrlField(most=manifest.MAX_SIZE, allow_null=True)
    shift = ShiftSerializer(allow_null=True)
    visits = VisitSerializer(many=True)
    alarms = AlarmSerializer(many=True)
    doors = DoorSerializer(many=True)
    removed_doors = serializers.ListField(child=serializers.IntegerField())
    rights = RightSerializer(many=True)
    removed_rights = serializers.ListField(child=Base64UrlField(most=token.TOKEN_ID_LENGTH))
    bulletins = NewsSerializer(many=True)
    support = SupportSerializer()
