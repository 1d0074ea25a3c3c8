"""Settings: the only reader of the environment and of the config file.

Every setting can be given as EXTRACTOR_<NAME> in the environment or in `extractor.toml` in the
working directory; the environment wins.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from extractor.errors import SettingsError


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
