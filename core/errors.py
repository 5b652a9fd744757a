"""The errors, by the name that scripts outside of the project import; here they are core.base.errors."""

from core.base.errors import *  # noqa: F403
