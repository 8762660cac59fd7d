package schema

import (
	"github.com/plonec/plonec/internal/builder"
	"github.com/plonec/plonec/internal/input"
)

// A Stack is the whole description, decoded, with defaults filled in. Its
// fields mirror schema.cue one for one; TestStructMatchesSchema holds the two
// against each other. What an attribute means stands in schema.cue.
//
// The sections are pointers so that the views of hosts share those that no
// layer changes; nobody writes to a Stack once it is decoded.
type Stack struct {
	Plonec    *Plonec             `json:"plonec"`
	OpsWorks  *OpsWorks           `json:"opsworks"`
	Layers    map[string]Layer    `json:"layers"`    // the short form, and opsworks.layers merged in
	Instances map[string]Instance `json:"instances"` // the short form, and opsworks' instances merged in

	PloneInstances *PloneInstances `json:"plone_instances"`
	PloneZeoserver *PloneZeoserver `json:"plone_zeoserver"`
	PloneBlobs     *PloneBlobs     `json:"plone_blobs"`
	PloneSolr      *PloneSolr      `json:"plone_solr"`
	Volto          *Volto          `json:"volto"`
	Tmpdir         *Tmpdir         `json:"tmpdir"`
	System         *System         `json:"system"`
	InitialSetup   *InitialSetup   `json:"opsworks_initial_setup"`
	EBSSnapshots   *EBSSnapshots   `json:"ebs_snapshots"`
	NginxPlone     *NginxPlone     `json:"nginx_plone"`
	Nginx          *Nginx          `json:"nginx"`
	VarnishPlone   *VarnishPlone   `json:"varnish_plone"`
	Varnish        *Varnish        `json:"varnish"`
	VarnishPurge   []string        `json:"varnish_purge_urls"`
	Haproxy        *Haproxy        `json:"haproxy"`
	CertbotDomains []string        `json:"certbot_domains"`
	CertbotEmail   string          `json:"certbot_email"`
	Redis          *Redis          `json:"redis"`
	Memcached      *Memcached      `json:"memcached"`
	NewRelic       *NewRelic       `json:"newrelic"`
	Papertrail     *Papertrail     `json:"papertrail"`
	Traceview      *Traceview      `json:"traceview"`
	S3fs           *S3fs           `json:"s3fs_fuse"`
	Apt            *Apt            `json:"apt"`
	// Deploy holds the apps that the stack mentions; App finds any.
	Deploy map[string]*App `json:"deploy"`

	appDefaults *input.Node // deploy_python and deploy_buildout: defaults of every app
}

// Plonec is what the cookbook never had.
type Plonec struct {
	OS           string   `json:"os"`            // debian12, debian13, ubuntu22.04, ubuntu24.04, ubuntu26.04
	PloneVersion string   `json:"plone_version"` // 4.3, 5.0, 5.1, 5.2, 6.0, 6.1, 6.2
	SSH          SSH      `json:"ssh"`
	Ignore       []string `json:"ignore"` // top-level keys of other cookbooks
	// PublicScheme is http or https where a balancer in front terminates TLS;
	// empty: the scheme of the server that answers.
	PublicScheme string `json:"public_scheme"`
	// TrustedProxies are the networks whose X-Forwarded-For counts.
	TrustedProxies []string `json:"trusted_proxies"`
	// MemoryMax bounds each client, such as 2G; empty: no limit.
	MemoryMax string `json:"memory_max"`
	// DrainTimeout bounds the wait for a client's last requests.
	DrainTimeout Seconds `json:"drain_timeout"`
	// StartTimeout bounds the wait until a started client answers.
	StartTimeout Seconds `json:"start_timeout"`
}

type SSH struct {
	User       string `json:"user"`
	Port       int    `json:"port"`
	KnownHosts string `json:"known_hosts"`
}

// OpsWorks is what remains of the service's own keys once its layers and
// instances are merged into Layers and Instances.
type OpsWorks struct {
	Stack OpsWorksStack `json:"stack"`
}

type OpsWorksStack struct {
	Name string `json:"name"`
}

// A Layer is a set of hosts that do the same.
type Layer struct {
	Name          string              `json:"name"`
	Roles         []string            `json:"roles"`          // nil: from the name and the recipes
	CustomRecipes map[string][]string `json:"custom_recipes"` // event to recipes
	// custom_json is read by Views, not decoded here.
}

// An Instance is one host.
type Instance struct {
	Layers       []string `json:"layers"`
	Address      string   `json:"address"`     // private address; OpsWorks: private_ip
	SSHAddress   string   `json:"ssh_address"` // OpsWorks: elastic_ip or ip; empty: Address
	CPUs         int      `json:"cpus"`        // 0: from InstanceType
	InstanceType string   `json:"instance_type"`
	Backends     int      `json:"backends"` // OpsWorks' measure; 0: from the CPUs
	Status       string   `json:"status"`   // online unless said
	OS           string   `json:"os"`       // empty: plonec.os
}

type PloneInstances struct {
	AppName         string            `json:"app_name"`
	BaseConfig      string            `json:"base_config"`
	SiteID          string            `json:"site_id"`
	Subsites        map[string]string `json:"subsites"`
	SubsiteConfig   map[string]Pasted `json:"subsite_config"`
	PerCPU          float64           `json:"per_cpu"`
	InstanceCount   *int              `json:"instance_count"`
	SharedBlobs     bool              `json:"shared_blobs"`
	NFSBlobs        bool              `json:"nfs_blobs"`
	GlusterBlobs    bool              `json:"gluster_blobs"`
	ZODBCacheSize   *int              `json:"zodb_cache_size"`
	PersistentCache bool              `json:"persistent_cache"`
	ZserverThreads  *int              `json:"zserver_threads"`
	// WaitressTrustedProxy are those whom Zope believes; nil: the balancers.
	WaitressTrustedProxy []string   `json:"waitress_trusted_proxy"`
	StickySessions       bool       `json:"sticky_sessions"`
	RestartDelay         Seconds    `json:"restart_delay"`
	EnableRelstorage     bool       `json:"enable_relstorage"`
	Relstorage           Relstorage `json:"relstorage"`
	ZeoLayer             string     `json:"zeo_layer"`
	Zeo                  Zeo        `json:"zeo"`
	EnableCelery         bool       `json:"enable_celery"`
	Celerybeat           bool       `json:"celerybeat"`
	CeleryArgs           string     `json:"celery_args"`
	BeatArgs             string     `json:"beat_args"`
	BrokerLayer          string     `json:"broker_layer"`
	Broker               Broker     `json:"broker"`
	SolrEnabled          bool       `json:"solr_enabled"`
	SolrLayer            string     `json:"solr_layer"`
	SolrHost             string     `json:"solr_host"`
	NewrelicTracing      bool       `json:"newrelic_tracing"`
	TraceviewTracing     bool       `json:"traceview_tracing"`
	TraceviewSampleRate  float64    `json:"traceview_sample_rate"`
	TracingClients       int        `json:"tracing_clients"`
	SyslogFacility       string     `json:"syslog_facility"`
	SyslogLevel          string     `json:"syslog_level"`
	SandboxLift          []string   `json:"sandbox_lift"`
}

type Relstorage struct {
	DB           RelstorageDB `json:"db"`
	EnableCache  bool         `json:"enable_cache"`
	Config       string       `json:"config"`
	CacheServers string       `json:"cache_servers"`
	EnablePack   bool         `json:"enable_pack"`
	PackDays     int          `json:"pack_days"`
	TwoStagePack bool         `json:"two_stage_pack"`
	PackGC       bool         `json:"pack_gc"`
	TruncateRefs bool         `json:"truncate_refs"`
}

type RelstorageDB struct {
	Type     string `json:"type"`
	DSN      Secret `json:"dsn"`
	Name     string `json:"name"`
	Host     string `json:"host"`
	Port     int    `json:"port"` // 0: the database's own
	User     string `json:"user"`
	Password Secret `json:"password"`
}

type Zeo struct {
	Address string `json:"address"`
}

type Broker struct {
	Host string `json:"host"`
	Port int    `json:"port"`
}

type PloneZeoserver struct {
	AppName        string `json:"app_name"`
	BaseConfig     string `json:"base_config"`
	EnableBackup   bool   `json:"enable_backup"`
	EnablePack     bool   `json:"enable_pack"`
	PackAt         string `json:"pack_at"`
	FilestorageDir string `json:"filestorage_dir"`
	NFSBlobs       bool   `json:"nfs_blobs"`
	GlusterBlobs   bool   `json:"gluster_blobs"`
	SyslogFacility string `json:"syslog_facility"`
	SyslogLevel    string `json:"syslog_level"`
}

type PloneBlobs struct {
	Layer                       string   `json:"layer"`
	NFSExportDir                string   `json:"nfs_export_dir"`
	GlusterExportDir            string   `json:"gluster_export_dir"`
	Network                     string   `json:"network"`
	Host                        string   `json:"host"`
	Servers                     []string `json:"servers"`
	GlusterVolume               string   `json:"gluster_volume"`
	NFSMountOptions             string   `json:"nfs_mount_options"`
	GlusterMountOptions         string   `json:"gluster_mount_options"`
	GlusterStoreConfigInExports bool     `json:"gluster_store_config_in_exports"`
	BlobDir                     string   `json:"blob_dir"`
}

type PloneSolr struct {
	AppName          string `json:"app_name"`
	DataDir          string `json:"data_dir"`
	EnablePapertrail bool   `json:"enable_papertrail"`
}

// Volto is the front end that shows pages.
type Volto struct {
	AppName    string   `json:"app_name"`    // empty: plone_instances.app_name
	Node       string   `json:"node"`        // a version in full, or a path; empty: not given
	NodeSHA256 []string `json:"node_sha256"` // of what is fetched, one for each machine type
	BuildOn    string   `json:"build_on"`    // hosts, here
	PerCPU     float64  `json:"per_cpu"`
	Memory     string   `json:"memory"` // of one process, such as 1G
}

type Tmpdir struct {
	GlobalTmp bool   `json:"global_tmp"`
	Tmpfs     bool   `json:"tmpfs"`
	TmpfsSize string `json:"tmpfs_size"`
}

type System struct {
	Timezone string `json:"timezone"`
}

type InitialSetup struct {
	EphemeralMountPoint string `json:"ephemeral_mount_point"`
}

type EBSSnapshots struct {
	Keep      int    `json:"keep"`
	Hour      string `json:"hour"`
	Minute    string `json:"minute"`
	Weekday   string `json:"weekday"`
	AWSKey    Secret `json:"aws_key"`
	AWSSecret Secret `json:"aws_secret"`
}

type NginxPlone struct {
	EnableSSI           bool     `json:"enable_ssi"`
	AdditionalServers   Pasted   `json:"additional_servers"`
	AdditionalConfig    Pasted   `json:"additional_config"`
	AdditionalSSLConfig Pasted   `json:"additional_ssl_config"`
	DefaultConfig       Pasted   `json:"default_config"`
	DefaultSSLConfig    Pasted   `json:"default_ssl_config"`
	ProxyPort           int      `json:"proxy_port"`
	LogRetentionDays    int      `json:"log_retention_days"`
	ForceReload         bool     `json:"force_reload"`
	ClientMaxBodySize   string   `json:"client_max_body_size"`
	IPv6                bool     `json:"ipv6"`
	Canonical           []string `json:"canonical"`
	RedirectHTTPS       bool     `json:"redirect_https"`
	HSTS                Seconds  `json:"hsts"`
	Status              []string `json:"status"`           // networks, beside the loopback
	ErrorPage           string   `json:"error_page"`       // HTML; empty: the daemons' own
	MaintenancePage     string   `json:"maintenance_page"` // HTML; empty: a page of a few words
	ZMI                 []string `json:"zmi"`              // networks; nil: everybody, empty: nobody
}

type Nginx struct {
	WorkerProcesses *int `json:"worker_processes"` // nil: auto
}

type VarnishPlone struct {
	Grace       Seconds             `json:"grace"`
	DefaultTTL  Seconds             `json:"default_ttl"`
	NotFoundTTL Seconds             `json:"not_found_ttl"`
	MaxBody     string              `json:"max_body"`     // such as 16m
	Cookies     []string            `json:"cookies"`      // names; one that ends in * stands for all that begin so
	CookiesVary map[string][]string `json:"cookies_vary"` // values, by name
	BanHeader   string              `json:"ban_header"`   // empty: no bans
	VCL         VCL                 `json:"vcl"`
}

// VCL is that of a stack's own.
type VCL struct {
	Top             string `json:"top"`
	Recv            string `json:"vcl_recv"`
	Hash            string `json:"vcl_hash"`
	BackendFetch    string `json:"vcl_backend_fetch"`
	BackendResponse string `json:"vcl_backend_response"`
	Deliver         string `json:"vcl_deliver"`
}

type Varnish struct {
	StorageSize    string `json:"storage_size"`
	UseDefaultRepo bool   `json:"use_default_repo"`
}

type Haproxy struct {
	Balance               string   `json:"balance"`
	Retries               int      `json:"retries"`
	CheckInterval         Millis   `json:"check_interval"`
	ServerTimeout         Millis   `json:"server_timeout"`
	ClientTimeout         Millis   `json:"client_timeout"`
	QueueTimeout          Millis   `json:"queue_timeout"`
	ConnectTimeout        Millis   `json:"connect_timeout"`
	HTTPRequestTimeout    Millis   `json:"http_request_timeout"`
	GlobalMaxConnections  *int     `json:"global_max_connections"`  // nil: sized to the host
	DefaultMaxConnections *int     `json:"default_max_connections"` // nil: the global one
	HTTPClose             bool     `json:"httpclose"`
	HTTPServerClose       bool     `json:"http_server_close"`
	StickySessions        bool     `json:"sticky_sessions"`
	Rise                  int      `json:"rise"`
	Fall                  int      `json:"fall"`
	EnableStats           bool     `json:"enable_stats"`
	StatsURL              string   `json:"stats_url"`
	StatsUser             string   `json:"stats_user"`
	StatsPassword         Secret   `json:"stats_password"`
	StatsAllow            []string `json:"stats_allow"` // empty: everybody
	StatsRate             int      `json:"stats_rate"`  // requests a second and address
	StatsSocketPath       string   `json:"stats_socket_path"`
	StatsSocketLevel      string   `json:"stats_socket_level"`
	HealthCheckMethod     string   `json:"health_check_method"`
	HealthCheckURL        string   `json:"health_check_url"`
	AdditionalConfig      string   `json:"additional_config"` // sections
}

type Redis struct {
	Config RedisConfig `json:"config"`
}

type RedisConfig struct {
	ListenAddr string `json:"listen_addr"` // empty: the private address
	ListenPort int    `json:"listen_port"`
	Dir        string `json:"dir"`
	Password   Secret `json:"password"`
}

type Memcached struct {
	Port   int `json:"port"`
	Memory int `json:"memory"` // MiB
}

type NewRelic struct {
	License               Secret                `json:"license"`
	Infrastructure        bool                  `json:"infrastructure"`
	ApplicationMonitoring ApplicationMonitoring `json:"application_monitoring"`
}

type ApplicationMonitoring struct {
	AppName           string            `json:"app_name"`
	BrowserMonitoring BrowserMonitoring `json:"browser_monitoring"`
	TransactionTracer TransactionTracer `json:"transaction_tracer"`
}

type BrowserMonitoring struct {
	AutoInstrument bool `json:"auto_instrument"`
}

type TransactionTracer struct {
	SlowSQL   bool   `json:"slow_sql"`
	RecordSQL string `json:"record_sql"`
}

type Papertrail struct {
	RemoteHost string            `json:"remote_host"`
	RemotePort int               `json:"remote_port"`
	WatchFiles map[string]string `json:"watch_files"`
}

type Traceview struct {
	AccessKey Secret `json:"access_key"`
}

type S3fs struct {
	S3Key    Secret      `json:"s3_key"`
	S3Secret Secret      `json:"s3_secret"`
	Mounts   []S3fsMount `json:"mounts"`
}

type S3fsMount struct {
	Bucket   string `json:"bucket"`
	Path     string `json:"path"`
	TmpStore string `json:"tmp_store"`
}

type Apt struct {
	UnattendedUpgrades UnattendedUpgrades `json:"unattended_upgrades"`
}

type UnattendedUpgrades struct {
	Enable           bool     `json:"enable"`
	Mail             string   `json:"mail"`
	PackageBlacklist []string `json:"package_blacklist"`
}

// An App is a repository, what is made of it, and where it is deployed.
type App struct {
	DeployTo                 string              `json:"deploy_to"` // filled in: /srv/www/<app>
	User                     string              `json:"user"`
	Group                    string              `json:"group"`
	Home                     string              `json:"home"` // filled in: /home/<user>
	KeepReleases             int                 `json:"keep_releases"`
	SCM                      SCM                 `json:"scm"`
	Builder                  string              `json:"builder"`
	BackendDir               string              `json:"backend_dir"`  // empty: the top of the repository
	FrontendDir              string              `json:"frontend_dir"` // of Volto
	Lock                     string              `json:"lock"`         // empty: where uv finds it
	Requirements             string              `json:"requirements"` // empty: the lock
	Constraints              string              `json:"constraints"`
	Instance                 string              `json:"instance"` // empty: where it usually is
	Groups                   []string            `json:"groups"`   // nil: container, where there is one
	EnableSubmodules         bool                `json:"enable_submodules"`
	ShallowClone             bool                `json:"shallow_clone"`
	Domains                  []string            `json:"domains"`
	SSLSupport               bool                `json:"ssl_support"`
	SSLCertificate           Certificate         `json:"ssl_certificate"`
	SSLCertificateKey        Secret              `json:"ssl_certificate_key"`
	SSLCertificateCA         Certificate         `json:"ssl_certificate_ca"`
	Database                 *Database           `json:"database"`
	Environment              map[string]EnvValue `json:"environment"` // environment_variables merged in
	OSPackages               Packages            `json:"os_packages"`
	Packages                 Packages            `json:"packages"`
	Index                    Index               `json:"index"`
	PythonMajorVersion       string              `json:"python_major_version"`
	VenvOptions              string              `json:"venv_options"`
	SymlinkBeforeMigrate     map[string]string   `json:"symlink_before_migrate"`
	Files                    map[string]EnvValue `json:"files"` // by their paths in a release
	PurgeBeforeSymlink       []string            `json:"purge_before_symlink"`
	CreateDirsBeforeSymlink  []string            `json:"create_dirs_before_symlink"`
	AlwaysBuildoutOnDeploy   bool                `json:"always_buildout_on_deploy"` // alias always_build_on_deploy
	BuildoutConfig           string              `json:"buildout_config"`
	BuildoutExtends          []string            `json:"buildout_extends"`
	BuildoutPartsToInclude   []string            `json:"buildout_parts_to_include"`
	Parts                    PartNames           `json:"parts"`
	BuildoutInheritParts     bool                `json:"buildout_inherit_parts"`
	BuildoutAdditionalConfig Pasted              `json:"buildout_additional_config"`
	BuildoutInitCommands     []InitCommand       `json:"buildout_init_commands"`
	BuildoutInitType         string              `json:"buildout_init_type"`
	BuildoutSupervisorPart   string              `json:"buildout_supervisor_part"`
	BuildoutCacheArchives    []CacheArchive      `json:"buildout_cache_archives"`
	BuildoutVersion          string              `json:"buildout_version"`
	BuildoutBootstrapParams  string              `json:"buildout_bootstrap_params"`
	BuildoutFlags            string              `json:"buildout_flags"`
	BuildoutDebug            bool                `json:"buildout_debug"`
}

// MadeBy is what makes the app's releases.
func (a *App) MadeBy() *builder.Builder {
	if b, ok := builder.Named(a.Builder); ok {
		return b
	}
	return builder.Default() // the value was reported
}

// PartNames are the project's names of what deploy.cfg asks its buildout for: of sections
// and parts, and of options as section:option. Empty: it has none.
type PartNames struct {
	Client          string   `json:"client"`
	Zeoserver       string   `json:"zeoserver"`
	ZeoAddress      string   `json:"zeo_address"`
	Memcached       string   `json:"memcached"`
	Packcronjob     string   `json:"packcronjob"`
	Backup          string   `json:"backup"`
	Backupcronjob   string   `json:"backupcronjob"`
	PackConfig      string   `json:"pack-config"`
	Zodbpack        string   `json:"zodbpack"`
	ZodbpackPrepack string   `json:"zodbpack-prepack"`
	ZodbpackPack    string   `json:"zodbpack-pack"`
	ZodbClearRefs   string   `json:"zodb-clear-refs"`
	Keep            []string `json:"keep"` // parts of the base that stay
}

type SCM struct {
	Type       string `json:"scm_type"`
	Repository string `json:"repository"`
	Revision   string `json:"revision"`
	SSHKey     Secret `json:"ssh_key"`
	User       string `json:"user"`
	Password   Secret `json:"password"`
}

// An Index is where packages come from.
type Index struct {
	URL       string   `json:"url"`
	FindLinks []string `json:"find_links"`
	Offline   bool     `json:"offline"`
}

type Database struct {
	Adapter  string `json:"adapter"`
	Database string `json:"database"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Username string `json:"username"`
	Password Secret `json:"password"`
}

type InitCommand struct {
	Name                string   `json:"name"`
	Cmd                 string   `json:"cmd"`
	Args                string   `json:"args"`
	Delay               Seconds  `json:"delay"`
	Eventlistener       bool     `json:"eventlistener"`
	EventlistenerEvents []string `json:"eventlistener_events"`
	InitType            string   `json:"init_type"`
}

type CacheArchive struct {
	URL      string `json:"url"`
	Path     string `json:"path"` // inside deploy_to
	User     string `json:"user"`
	Password Secret `json:"password"`
	Purge    bool   `json:"purge"`
}
