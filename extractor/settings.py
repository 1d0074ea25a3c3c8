"""Settings: the only reader of the environment and of the config file.

Every setting can be given as EXTRACTOR_<NAME> in the environment or in `extractor.toml` in the
working directory; the environment wins.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from extractor.errors import SettingsError


class Price(BaseModel):
    """What a model costs, in USD for a million tokens. `batch_share`: what a batch costs of that."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached_input: float | None = Field(default=None, ge=0)
    batch_share: float = Field(default=0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _check_cached(self) -> Price:
        if self.cached_input is not None and self.cached_input > self.input:
            raise ValueError("cached_input is more than input")
        return self


class Settings(BaseSettings):
    """What an operator may set."""

    model_config = SettingsConfigDict(env_prefix="EXTRACTOR_", toml_file="extractor.toml", extra="forbid", frozen=True)

    max_source_mb: int = Field(
        default=20, ge=1, description="largest source file, and largest content of a zip-based one, in MB"
    )
    soffice: Path | None = Field(
        default=None, description="LibreOffice program for old .doc files; found on PATH when unset"
    )
    soffice_timeout_s: int = Field(default=120, ge=1, description="seconds LibreOffice may take for one file")
    page_workers: int | None = Field(
        default=None, ge=1, le=1024, description="processes that read PDFs and pictures; one for each CPU when unset"
    )
    page_timeout_s: int = Field(default=120, ge=1, description="seconds that reading one page may take")
    page_memory_mb: int = Field(
        default=3000,
        ge=800,  # below, the libraries themselves may not load, each with an error of its own
        description="memory of each of these processes, in MB; to recognise a page takes about 1200",
    )
    max_pages: int = Field(default=200, ge=1, description="most pages of one PDF or picture file")
    max_page_megapixels: float = Field(
        default=20, ge=1, le=100, description="largest image of a page; a larger page is read at a lower resolution"
    )

    model: str | None = Field(default=None, description="name of the model to ask; none is asked when unset")
    vision: bool = Field(
        default=False, description="whether the model takes images; it then looks at rows of scans that are in doubt"
    )
    base_url: str = Field(
        default="https://api.openai.com/v1", description="address of a server that speaks the OpenAI protocol"
    )
    api_key: SecretStr | None = Field(default=None, description="the server's key; local servers need none")
    reply_mode: Literal["auto", "json_schema", "tools", "json"] = Field(
        default="auto", description="how the server is made to keep to the schema; auto tries them in this order"
    )
    temperature: float | None = Field(default=0, ge=0, description='sampling temperature; "none" for models without it')
    concurrency: int = Field(
        default=16, ge=1, le=1024, description="calls in flight at most; falls when the server says 429"
    )
    requests_per_minute: int | None = Field(default=None, ge=1, description="the server's limit on requests")
    tokens_per_minute: int | None = Field(default=None, ge=1, description="the server's limit on tokens, in and out")
    call_timeout_s: float = Field(default=120, gt=0, description="seconds to wait for one reply")
    call_attempts: int = Field(default=6, ge=1, description="how often a call is tried before it counts as failed")
    reasks: int = Field(default=2, ge=0, description="how often rows that failed the check are asked again")
    chunk_tokens: int = Field(default=3000, ge=200, description="most tokens of document text in one call")
    forms_dir: Path | None = Field(
        default=None, description="folder with forms of your own, read beside those of the package"
    )
    prompts_dir: Path | None = Field(default=None, description="folder with prompts that replace those of the package")
    journal: str = Field(
        default="journal.sqlite", description="where replies are kept: a file (SQLite) or a postgresql:// URL"
    )
    journal_requests: bool = Field(
        default=True, description="whether what was sent, with its document text, is kept beside each reply"
    )
    prices: dict[str, Price] = Field(default_factory=dict, description="by model, USD for a million tokens")

    store: str = Field(
        default="store.sqlite",
        description="where documents, records, queue and reviews are kept: a file (SQLite) or a postgresql:// URL",
    )
    lease_minutes: float = Field(
        default=15, gt=0, le=1440, description="how long a reviewer holds an item of the queue without doing anything"
    )
    double_review_share: float = Field(
        default=0, ge=0, le=1, description="share of the documents that two reviewers look at, blind to each other"
    )
    session_hours: float = Field(default=12, gt=0, le=720, description="how long a login to the review page lasts")
    max_upload_mb: int = Field(default=200, ge=1, description="largest submission to the service, all files together")
    max_upload_files: int = Field(default=500, ge=1, description="most files of one submission to the service")
    requests_per_account: int = Field(
        default=1200, ge=1, description="requests a minute that one account, or one address without one, may make"
    )

    certificate: Path | None = Field(
        default=None, description="certificate of extractor calibrate; the hard rules alone decide when unset"
    )
    audit_share: float = Field(
        default=0, ge=0, le=1, description="share of the documents with accepted values whose values are looked at, too"
    )
    audit_salt: SecretStr = Field(
        default=SecretStr(""), description="another one chooses other documents; who knows it can foresee them"
    )

    telemetry: Literal["off", "otlp"] = Field(
        default="off", description="where traces and metrics go; otlp: to the collector that the OTEL_* variables name"
    )
    log: str | None = Field(
        default=None, description="where a run logs what happens: a file, or - for stderr; nowhere when unset"
    )
    log_format: Literal["json", "text"] = Field(default="json", description="form of the log's lines")

    def count_page_workers(self) -> int:
        """How many processes read pages: as set, or one for each CPU that this process may use."""
        return self.page_workers or len(os.sched_getaffinity(0))

    @field_validator("temperature", mode="before")
    @classmethod
    def _read_temperature(cls, value: object) -> object:
        return None if value in ("", "none") else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of precedence: arguments, environment, config file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


@cache
def load_settings() -> Settings:
    """Read the settings once.

    Raises:
        SettingsError: naming the setting that is wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"settings (EXTRACTOR_… or extractor.toml): {problems}. Correct or remove them.") from error
