package opsworks

import (
	"strings"
)

// What is known of OpsWorks and of the cookbook, as tables.

// gone says why a key that was sent to hosts is left out: the first row whose
// prefix the attribute's path has.
var gone = []struct{ prefix, why string }{
	{"opsworks_initial_setup.", "OpsWorks set up new hosts with it; plonec sets up what its own files need"},
	{"opsworks_custom_cookbooks", "cookbooks are gone: the stack has their attributes"},
	{"opsworks_berkshelf", "cookbooks are gone"},
	{"opsworks.", "what OpsWorks sent about itself"},
	{"opsworks", "settings of OpsWorks' agent"},
	{"aws_opsworks_agent", "settings of OpsWorks' agent"},
	{"ssh_users", "OpsWorks made these logins"},
	{"sudoers", "OpsWorks made these logins"},
	{"deploy.<app>.migrate", "for Rails and Django only"},
	{"deploy.<app>.migration_command", "for Rails and Django only"},
	{"deploy.<app>.database.", "what OpsWorks sent about itself"},
	{"deploy.<app>.", "what OpsWorks sent about an app; a buildout has no use for it"},
	{"deploy_", "Chef's own"},
	{"newrelic", "for New Relic's old agents"},
	{"redis", "Redis no longer has it"},
	{"s3fs_fuse.version", "Debian's package is used"},
	{"instances.", "what EC2 said of an instance"},
	{"", "Chef or OpsWorks sent it; plonec ignores it"},
}

func whyGone(path string) string {
	for _, g := range gone {
		if strings.HasPrefix(path, g.prefix) {
			return g.why
		}
	}
	return ""
}

// unread are names under which the cookbook did not read an attribute, whatever
// its documentation said. plonec does, so that what never had an effect gets one.
var unread = []string{"zeoserver", "plone_instances.celery_enabled", "nginx_plone.additional_configuration", "nginx_plone.additional_ssl_configuration"}

// builtin are OpsWorks' own layers that plonec does not know.
var builtin = map[string]string{
	"db-master":         "OpsWorks' MySQL: install it by hand, or use a managed database.",
	"monitoring-master": "OpsWorks' Ganglia: use your own monitoring.",
	"web":               "OpsWorks' static web server.",
	"php-app":           "OpsWorks' PHP server.",
	"rails-app":         "OpsWorks' Rails server.",
	"nodejs-app":        "OpsWorks' Node.js server.",
	"java-app":          "OpsWorks' Java server.",
}

// counterparts are recipes of the cookbook and of its friends that no role stands
// for, and what to do in their place; the first row whose prefix fits.
var counterparts = []struct{ prefix, remedy string }{
	{"apt::unattended-upgrades", "install unattended-upgrades on the hosts"},
	{"plone_buildout::papertrail", "ship the logs by hand: see papertrail in the stack"},
	{"plone_buildout::newrelic", "install New Relic's agents by hand: see newrelic in the stack"},
	{"plone_buildout::traceview", "nothing to do: the service closed"},
	{"plone_buildout::certonly-webroot", "get the certificates by certbot by hand: see certbot_domains in the stack"},
	{"plone_buildout::nginx-ssl", "get the certificates by certbot by hand: see certbot_domains in the stack"},
	{"plone_buildout::s3fs", "mount the buckets by hand: see s3fs_fuse in the stack"},
	{"opsworks_deploy_python::django", "plonec deploys Plone only"},
	{"", "set up by hand what it did"},
}

func recipeRemedy(recipe string) string {
	for _, x := range counterparts {
		if strings.HasPrefix(recipe, x.prefix) {
			return x.remedy
		}
	}
	return ""
}

// mountPoints are the volumes for which the cookbook had an attribute, by the
// end of their mount point.
var mountPoints = []struct {
	end  string
	path []string
}{
	{"/zodb/filestorage", []string{"plone_zeoserver", "filestorage_dir"}},
	{"/blobstorage", []string{"plone_blobs", "blob_dir"}},
	{"/exports", []string{"plone_blobs", "nfs_export_dir"}},
	{"/gluster-exports", []string{"plone_blobs", "gluster_export_dir"}},
	{"/solr", []string{"plone_solr", "data_dir"}},
	{"/redis", []string{"redis", "config", "dir"}},
}

// volume writes down what a mounted volume is for.
func (c *converter) volume(where, mount, size string) {
	for _, m := range mountPoints {
		if !strings.HasSuffix(mount, m.end) {
			continue
		}
		if at(c.tree, m.path) == nil {
			c.set(m.path, text(mount))
			c.note(m.path, "where a volume was mounted.")
		}
	}
	c.ask(where, "an EBS volume"+size+" was mounted at "+printable(mount), "attach it, or a disk with its data, there before the first apply: plonec mounts nothing")
}

// abouts are the comments of sections whose documentation speaks of more than
// a migrated stack has.
var abouts = map[string]string{
	"plonec":    "What OpsWorks did not have to know.",
	"opsworks":  "The stack's name, for titles.",
	"instances": "The hosts: the others reach one at its address, plonec logs in at its ssh_address.",
	"layers":    "What the hosts of each layer do.",
}
