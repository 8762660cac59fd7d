package main

// unseen are attributes that rightly leave the tree as it is, each with why.
var unseen = map[string]string{
	"plonec.ignore":                "it is about the stack's own text",
	"layers.<layer>.name":          "a title",
	"opsworks.layers.<layer>.name": "a title",
	"plone_blobs.layer":            "it names the layer whose hosts export blobs, which nothing renders yet",
}

// alike are values that say the same as a base, by the attribute.
var alike = map[string][]string{
	"plonec.os":            {`"ubuntu22.04"`, `"ubuntu24.04"`, `"ubuntu26.04"`},
	"instances.<host>.os":  {`"debian12"`, `"ubuntu22.04"`, `"ubuntu24.04"`, `"ubuntu26.04"`},
	"plonec.plone_version": {`"5.2"`, `"6.0"`, `"6.1"`},

	"opsworks.layers.<layer>.custom_recipes": {`{"deploy": ["nginx"]}`}, // another cookbook's
}

// spelled are values that stand otherwise in the files: by the attribute, the value
// and what a line holds; empty where it holds none.
var spelled = map[string]map[string]string{
	"haproxy.stats_rate":                 {"1": "1r/s", "1000": "1000r/s"},
	"haproxy.rise":                       {"1": "2"},
	"haproxy.health_check_url":           {"/ok?a=b&c=%20": "/ok?a=b&c=%%20"},
	"nginx_plone.proxy_port":             {"8080": ""}, // there is no cache
	"nginx_plone.hsts":                   {"0": "", "17": "17", "90s": "90", "5m": "300", "1h": "3600", "2d": "172800", "1500ms": "2", "1500us": "1", "315360000": "315360000"},
	"varnish_plone.max_body":             {"128m": "134217728", "77M": "80740352", "77k": "78848", "77K": "78848", "3g": "3221225472", "3G": "3221225472"},
	"varnish_plone.cookies[]":            {"other.session": `other\.session`, "_other-*": "_other-"},
	"varnish.storage_size":               {"1%": "1", "50%": "50", "100%": "100"},
	"plone_instances.subsites.<domain>":  {"*.example.com": "", ".example.com": "example.com"},
	"deploy.<app>.files.<path>":          {"a text\nof two lines\n": ""},
	"plone_instances.relstorage.db.type": {"postgres": "postgresql"},
	"deploy.<app>.database.adapter":      {"postgres": "postgresql", "mysql2": "mysql"},
	"deploy.<app>.os_packages[]":         {"zlib==1.3": "zlib=1.3"},
	"deploy_python.os_packages[]":        {"zlib==1.3": "zlib=1.3"},

	"deploy.<app>.buildout_init_commands[].delay": {"0": ""},
	"deploy_buildout.init_commands[].delay":       {"0": ""},

	"plone_instances.zeo_layer":    {"zeoserver": "10.0.0.4:8001", "spare": "10.0.0.5:8001"},
	"plone_instances.broker_layer": {"celery_broker": "10.0.0.4", "spare": "10.0.0.5"},
	"plone_instances.solr_layer":   {"solr": "10.0.0.4", "spare": "10.0.0.5"},
}

// named are the values of attributes that name a part of the stack: the bases have
// those, and not the names of the schema's examples.
var named = map[string]string{
	"instances.<host>.layers":       `["plone_instances", "lb"]`,
	"opsworks.instance.layers":      `["plone_instances", "lb"]`,
	"opsworks.instance.hostname":    `["app3", "app3.example.com"]`,
	"nginx_plone.canonical":         `["www.example.org"]`,
	"volto.app_name":                `["zeoserver"]`,
	"layers.<layer>.roles":          `["volto", ` + rolesToTry,
	"opsworks.layers.<layer>.roles": `[` + rolesToTry,

	"plone_instances.app_name":     `["site", "zeoserver", ""]`,
	"plone_zeoserver.app_name":     `["zeoserver", "site", ""]`,
	"plone_instances.zeo_layer":    `["zeoserver", "spare"]`,
	"plone_instances.broker_layer": `["celery_broker", "spare"]`,
	"plone_instances.solr_layer":   `["solr", "spare"]`,
	"deploy.<app>.parts.keep":      `["nginx"]`,
}

// rolesToTry are all but that of the frontend, of which no base of the service's form has
// what it takes.
const rolesToTry = `"frontend", "clients", "zeo", "blobs", "memcached", "redis", "solr", "snapshots", "celerybeat", "pack"]`

// beside is what has to stand in the stack beside an attribute, or beside one value
// of it.
var beside = map[string]map[string]any{
	"deploy.<app>.parts.zodbpack-prepack": {"plone_instances.relstorage.two_stage_pack": true},
	"deploy.<app>.parts.zodbpack-pack":    {"plone_instances.relstorage.two_stage_pack": true},
	"deploy.<app>.parts.zodb-clear-refs":  {"plone_instances.relstorage.truncate_refs": true},
	"deploy.<app>.parts.zeoserver":        {"plone_zeoserver.app_name": "site"},
	"deploy.<app>.parts.backup":           {"plone_zeoserver.app_name": "site"},
	"deploy.<app>.parts.packcronjob":      {"plone_zeoserver.app_name": "site"},
	"deploy.<app>.parts.backupcronjob":    {"plone_zeoserver.app_name": "site", "plone_zeoserver.enable_backup": true},

	"varnish_plone.cookies_vary": {"varnish_plone.cookies": []string{}}, // the default has I18N_LANGUAGE

	"nginx_plone.canonical": {"deploy.<app>.domains": []string{"www.example.org", "example.org"}},
	// A certificate of which nobody says by whom it is.
	"nginx_plone.hsts": {"deploy.<app>.ssl_certificate": byReference, "deploy.<app>.ssl_certificate_ca": nil},
	`deploy.<app>.ssl_certificate_ca = {"$secret": "file:PATH"}`: {"deploy.<app>.ssl_certificate": byReference},
	"instances.<host>.cpus":     fewClients,
	"instances.<host>.backends": fewClients,

	`layers.<layer>.roles = ["volto"]`: {"volto.node": "24.19.0"},

	`layers.<layer>.roles = ["zeo"]`:          {"layers.zeoserver.roles": []string{}, "plone_instances.zeo_layer": "spare"},
	`opsworks.layers.<layer>.roles = ["zeo"]`: {"opsworks.layers.zeoserver.roles": []string{}, "plone_instances.zeo_layer": "spare"},
	`plone_instances.zeo_layer = "spare"`:     {"layers.zeoserver.roles": []string{}, "layers.spare.roles": []string{"zeo"}},
	`plone_instances.broker_layer = "spare"`:  {"layers.spare.roles": []string{"redis"}, "layers.celery_broker.roles": []string{}},
	`plone_instances.solr_layer = "spare"`:    {"layers.spare.roles": []string{"solr"}, "layers.solr.roles": []string{}},

	"opsworks.layers.<layer>.instances.<host>.private_dns_name": {"opsworks.layers.<layer>.instances.<host>.private_ip": nil},
	"opsworks.layers.<layer>.instances.<host>.instance_type":    {"opsworks.layers.<layer>.instances.<host>.backends": nil},
	"opsworks.instance.private_dns_name":                        {"opsworks.instance.private_ip": nil},
	"opsworks.instance.instance_type":                           {"opsworks.instance.backends": nil},

	"opsworks.layers.<layer>.instances.<host>.backends": fewClients,
	"opsworks.instance.backends":                        fewClients,

	"plone_instances.subsite_config": {"plone_instances.subsites": map[string]any{"www.example.com": "a", "xn--mnchen-3ya.example": "b", "my_site": "c"}},
	"deploy.<app>.backend_dir":       byUv, "deploy.<app>.lock": byUv, "deploy.<app>.requirements": byUv, "deploy.<app>.constraints": byRequirements, "deploy.<app>.instance": byUv, "deploy.<app>.groups": byUv,
	`deploy.<app>.scm.repository = ""`:          {"plone_instances.app_name": "zeoserver"},
	`deploy.<app>.ssl_certificate = ""`:         {"deploy.<app>.ssl_support": false},
	`deploy.<app>.python_major_version = "2.7"`: {"plonec.plone_version": "5.2"},
}

var byReference = map[string]any{"$secret": "file:tls/site.pem"}

var byUv = map[string]any{"deploy.<app>.builder": "uv"}

var byRequirements = map[string]any{"deploy.<app>.builder": "uv", "deploy.<app>.requirements": "requirements.txt"}

var fewClients = map[string]any{"plone_instances.per_cpu": 0.25}

// standIns are the names in the bases that stand for <app> and the like.
var standIns = map[string]string{
	"<app>": "site", "<host>": "app1", "<layer>": "spare", "<domain>": "sub.example.org", "<variable>": "VARIABLE",
	"<event>": "setup", "<package>": "libxml2", "<directory>": "elsewhere", "<path>": "etc/other",
	"<cookie>": "other",
}

// otherLayer are attributes of a layer that has work to do.
var otherLayer = map[string]string{
	"layers.<layer>.custom_json":               "plone_instances",
	"opsworks.layers.<layer>.custom_json":      "plone_instances",
	"opsworks.layers.<layer>.instances.<host>": "plone_instances",
}
