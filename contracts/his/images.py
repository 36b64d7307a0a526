"""Pictures of the hospital's archive, for looking at."""

from datetime import date
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from contracts.his.base import Hash, Request


class ImageStudy(msgspec.Struct, frozen=True):
    """One study of the hospital's image archive. `study_id` is opaque and leads anywhere for this patient alone.

    `day` is None when the archive has none; `modality` as DICOM spells it, several joined by `/` (CT, DX, US …); `series` and
    `instances` are counts, 0 when the archive does not count. `resource_hash` names the study in records of who looked.
    """

    study_id: Hash
    resource_hash: Hash
    day: date | None
    modality: str
    description: str
    accession_number: str
    series: int
    instances: int


class ImageStudiesReply(msgspec.Struct, frozen=True):
    """Newest first; what has no day comes last."""

    studies: list[ImageStudy]


class ImageStudies(Request, frozen=True):
    """Imaging studies since a day, former numbers of the patient included. `hospital_refused` family: 422 `images_not_connected`."""

    OPERATION: ClassVar[str] = "image-studies"
    REPLY: ClassVar[type[Any]] = ImageStudiesReply
    patient_id: str
    since: date


class ImageWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which stored values become black and white: `center` and `width` as DICOM has them, in the picture's own unit."""

    center: Annotated[int, Meta(ge=-100_000, le=100_000)]
    width: Annotated[int, Meta(ge=1, le=200_000)]


class ImageFrameReply(msgspec.Struct, frozen=True):
    """One rendered picture (`content`: base64 in JSON, at most 3 MB as bytes) and where it stands in its study, all counted from 1.

    For display only, never stored (design.md 5.1). `media_type`: image/jpeg or image/png.
    """

    media_type: str
    content: bytes
    resource_hash: Hash
    day: date | None
    description: str
    series: int
    series_count: int
    series_description: str
    modality: str
    instance: int
    instance_count: int
    frame: int
    frame_count: int


Place = Annotated[int, Meta(ge=1, le=100_000)]


class ImageFrame(Request, frozen=True):
    """A picture of a study: `series` in order of their numbers (those without pictures left out), `instance` in the series, `frame` in it.

    `viewport` is the longer side in pixels at most; nothing is enlarged. 404 `image_not_found` when she has no such picture.
    """

    OPERATION: ClassVar[str] = "image-frame"
    REPLY: ClassVar[type[Any]] = ImageFrameReply
    patient_id: str
    study_id: Hash
    series: Place = 1
    instance: Place = 1
    frame: Place = 1
    viewport: Annotated[int, Meta(ge=64, le=2_048)] = 1_024
    window: ImageWindow | None = None
