# Run by bin/admin run, after a line that sets password and title: a user who may
# do everything, and a Plone site.
import transaction
from AccessControl.SecurityManagement import newSecurityManager
from plone.app.textfield import RichTextValue
from Products.CMFPlone.factory import addPloneSite
from Testing.makerequest import makerequest

app = makerequest(app)  # noqa: F821
app.acl_users.userFolderAddUser("admin", password, ["Manager"], [])  # noqa: F821
newSecurityManager(None, app.acl_users.getUser("admin").__of__(app.acl_users))
site = addPloneSite(app, "Plone", title=title, distribution_name="classic", setup_content=True)  # noqa: F821
# Plone's own first page has links to another host.
site.title = title  # noqa: F821
site.description = "Compiled and deployed by plonec."
site.text = RichTextValue(
    "<p>This page came through nginx, Varnish and HAProxy on lb1. One of the four clients on app1 and app2 "
    "made it, from objects that the ZEO server on db1 keeps.</p>",
    "text/html",
    "text/x-html-safe",
)
transaction.commit()
