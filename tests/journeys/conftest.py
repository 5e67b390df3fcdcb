from workshop import wait_until_fixture, workshop

__all__ = ["wait_until_fixture", "workshop"]
