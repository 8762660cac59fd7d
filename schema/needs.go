package schema

import "strings"

// needs say what attributes take to have an effect, in the order in which they are looked
// at: of themselves, or of a group that they are in. Whether one has an effect, they do not
// say.
var needs = []struct{ path, remedy string }{
	{"plone_instances.celery_args", ofCelery},
	{"plone_instances.beat_args", "set plone_instances.enable_celery and celerybeat too, and give a broker: plone_instances.broker.host or a host in its layer"},
	{"plone_instances.celerybeat", ofCelery},
	{"plone_instances.broker", "set plone_instances.enable_celery too"},
	{"plone_instances.solr_host", "set plone_instances.solr_enabled too"},
	{"plone_instances.solr_layer", "set plone_instances.solr_enabled too"},
	{"plone_instances.subsite_config", "name it in plone_instances.subsites"},
	{"plone_instances.relstorage", "set plone_instances.enable_relstorage too"},
	{"plone_instances.syslog_level", "set plone_instances.syslog_facility too"},
	{"plone_zeoserver.syslog_level", "set plone_zeoserver.syslog_facility too"},
	{"plone_blobs.blob_dir", "set plone_instances.shared_blobs to true, or take it out"},
	{"varnish.storage_size", noVarnish},
	{"varnish_plone", noVarnish},
	{"varnish_purge_urls", noVarnish},
	{"deploy.<app>.backend_dir", ofUv},
	{"deploy.<app>.lock", ofUvAlone},
	{"deploy.<app>.groups", ofUvAlone},
	{"deploy.<app>.instance", ofUv},
	{"deploy.<app>.requirements", ofUv},
	{"deploy.<app>.constraints", "only uv reads it, and only beside requirements: set builder to uv and name a requirements file, or remove this"},
	{"deploy.<app>.buildout_extends", ofBuildout},
	{"deploy.<app>.buildout_additional_config", ofBuildout},
	{"deploy.<app>.buildout_parts_to_include", ofBuildout},
	{"deploy.<app>.buildout_supervisor_part", ofBuildout},
	{"deploy.<app>.ssl_certificate", "set ssl_support to true"},
	{"deploy.<app>.ssl_certificate_key", "set ssl_support to true"},
	{"deploy.<app>.ssl_certificate_ca", "set ssl_support to true"},
}

const (
	ofCelery   = "set plone_instances.enable_celery too, and give a broker: plone_instances.broker.host or a host in its layer"
	ofUv       = "only uv reads it: set builder to uv, or remove this"
	ofUvAlone  = "only uv reads it, and only without requirements: set builder to uv and remove requirements, or remove this"
	ofBuildout = "only buildout reads it: set builder to buildout, or remove this"
)

const noVarnish = "leave nginx_plone.proxy_port out: it names HAProxy, and so no Varnish runs"

// Needs is what the attribute takes to have an effect; empty: no row says it.
func (a *Attr) Needs() string {
	for _, n := range needs {
		if a.Path == n.path || strings.HasPrefix(a.Path, n.path+".") {
			return n.remedy
		}
	}
	return ""
}
