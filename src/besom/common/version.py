"""The version of this program, in one place and without reading package metadata."""

VERSION = "0.1.0"
