"""The admin as an app: our own site class instead of Django's."""

from django.contrib.admin.apps import AdminConfig


class NyckelfriAdminConfig(AdminConfig):
    """Makes `django.contrib.admin.site` our site."""

    default_site = "server.config.admin_site.NyckelfriAdminSite"
