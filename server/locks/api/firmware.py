"""The installer's GET /api/v1/installer/firmware: the releases that a phone may carry to a lock."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from protocol import firmware
from server.config.rest.fields import Base64UrlField, encode_bytes
from server.locks.api.views import INSTALLER_HEADER, MAX_ID, PROBLEMS, InstallerView
from server.locks.models import FirmwareRelease
from server.locks.queries import newest_releases
from server.problems import Problem


class ReleaseSerializer(serializers.Serializer[Any]):
    """A release, without its image."""

    id = serializers.IntegerField()
    model = serializers.CharField(help_text="which locks it is for; others refuse it")
    version = serializers.IntegerField()
    size = serializers.IntegerField(help_text="of the image, bytes")
    header = Base64UrlField(most=firmware.MAX_HEADER, help_text="signed; offered to the lock as it is")


class ReleasesResponse(serializers.Serializer[Any]):
    """The newest release of each model."""

    releases = ReleaseSerializer(many=True)


class ImageResponse(serializers.Serializer[Any]):
    """The image of one release."""

    image = Base64UrlField(most=firmware.MAX_IMAGE, help_text="the bytes that the header's digest is of")


class FirmwareView(InstallerView):
    """What there is to carry."""

    @extend_schema(
        operation_id="installer_firmware",
        parameters=[INSTALLER_HEADER],
        responses={200: ReleasesResponse, **PROBLEMS},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """List the newest release of each model that is not withdrawn."""
        return Response(
            {
                "releases": [
                    {
                        "id": release.pk,
                        "model": release.model,
                        "version": release.version,
                        "size": release.size,
                        "header": encode_bytes(bytes(release.document)),
                    }
                    for release in newest_releases()
                ]
            }
        )


class FirmwareImageView(InstallerView):
    """One image."""

    @extend_schema(
        operation_id="installer_firmware_image",
        parameters=[INSTALLER_HEADER],
        responses={200: ImageResponse, **PROBLEMS},
        auth=[],
    )
    def get(self, request: Request, release_id: int) -> Response:
        """Return an image; what is withdrawn is not handed out."""
        found = FirmwareRelease.objects.filter(pk=min(release_id, MAX_ID), withdrawn_at=None)
        release = found.first()
        if release is None:
            raise Problem("firmware_unknown")
        return Response({"image": encode_bytes(bytes(release.image))})
