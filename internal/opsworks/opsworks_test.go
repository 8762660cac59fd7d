package opsworks

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/format"

	"github.com/plonec/plonec/internal/compile"
	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/draft"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/schema"
)

// convert migrates texts, and fails where they are not read.
func convert(t testing.TB, texts ...string) *Migration {
	t.Helper()
	var files []*diag.File
	for i, s := range texts {
		files = append(files, &diag.File{Name: fmt.Sprintf("%d.json", i), Content: []byte(s)})
	}
	m, list := Convert(files)
	if m == nil {
		t.Fatalf("not read: %+v", list)
	}
	return m
}

// evaluate is the stack as plonec reads it, less the child process.
func evaluate(t testing.TB, stack []byte) *input.Node {
	t.Helper()
	v := cuecontext.New().CompileBytes(stack)
	data, err := v.MarshalJSON()
	if err != nil {
		t.Fatalf("%v\n%s", err, stack)
	}
	tree, list := input.ReadJSON(&diag.File{Name: draft.StackFile, Content: data})
	if list.Errors() > 0 {
		t.Fatalf("%+v", list)
	}
	return tree
}

// good makes sure that plonec check takes a migrated stack.
func good(t testing.TB, m *Migration) (*input.Node, *topology.Topology) {
	t.Helper()
	tree := evaluate(t, m.Stack)
	d, list := schema.Load(tree)
	topo, more := topology.Resolve(d)
	for _, x := range append(list, more...) {
		if x.Severity() == diag.Error || x.Code == "plain-secret" || x.Code == "deprecated" {
			t.Errorf("%s: %s: %s", x.Code, x.Path, x.Message)
		}
	}
	if len(m.Left) > 0 {
		t.Errorf("left: %+v", m.Left)
	}
	if t.Failed() {
		t.Logf("%s", m.Stack)
	}
	return tree, topo
}

// get is a value of the stack as one line of JSON-like text, "" for none.
func get(tree *input.Node, path string) string {
	n := at(tree, strings.Split(path, "/"))
	if n == nil {
		return ""
	}
	return draft.Short(n)
}

func asks(m *Migration, path, part string) bool {
	return slices.ContainsFunc(m.Decided(), func(f Finding) bool {
		return strings.Contains(f.Path, path) && strings.Contains(f.Text+" "+f.Remedy, part)
	})
}

func drops(m *Migration, path string) bool {
	return slices.ContainsFunc(m.Report.Dropped, func(f Finding) bool { return f.Path == path && f.Text != "" })
}

func example(t *testing.T, names ...string) []string {
	t.Helper()
	var texts []string
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(data))
	}
	return texts
}

// The outputs of the four commands, as they are for a stack that was never
// described to anybody else.
func TestOutputs(t *testing.T) {
	dir := "testdata/opsworks/"
	m := convert(t, example(t, dir+"stacks.json", dir+"layers.json", dir+"instances.json", dir+"apps.json", dir+"schedules.json")...)
	tree, topo := good(t, m)
	for path, want := range map[string]string{
		"opsworks/stack/name":                            `"Town Hall"`,
		"instances/lb1/ssh_address":                      `"198.51.100.20"`,
		"instances/lb1/backends":                         "",
		"instances/plone2/layers":                        `["plone_instances", "big"]`,
		"instances/plone2/cpus":                          "8",
		"instances/plone2/backends":                      "32",
		"instances/plone3/status":                        `"stopped"`,
		"layers/lb/roles":                                `["frontend"]`,
		"layers/plone_instances/roles":                   `["clients"]`,
		"layers/db-master/roles":                         `[]`,
		"layers/big/custom_json/plone_instances/per_cpu": "1",
		"deploy/site/scm/ssh_key":                        `{$secret: "file:secrets/site.ssh_key"}`,
		"deploy/site/domains":                            `["www.town.example", "town.example"]`,
		"deploy/site/environment/GEOCODER":               `"https://geo.example.com/"`,
		"deploy/site/environment/PAYMENTS":               `{$secret: "file:secrets/site.PAYMENTS"}`,
		"deploy/site/environment/SMTP_PASSWORD":          `{$secret: "file:secrets/site.SMTP_PASSWORD"}`,
		"deploy/site/python_major_version":               "",
		"plone_instances/zodb_cache_size":                "30000",
		"plone_zeoserver/enable_backup":                  "true",
		"plone_zeoserver/filestorage_dir":                `"/mnt/shared/zodb/filestorage"`,
		"varnish_plone/grace":                            `"2m"`,
		"haproxy/stats_user":                             `"opsworks"`,
		"haproxy/stats_url":                              "",
		"ntp":                                            "",
		"traceview":                                      "",
	} {
		if got := get(tree, path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	clients := map[string]int{}
	for _, h := range topo.Hosts {
		for _, a := range h.Apps {
			clients[h.Name] += len(a.Clients)
		}
	}
	// As many as ran in OpsWorks: backends × per_cpu / 8; per_cpu is 1 in the layer big.
	if clients["plone1"] != 2 || clients["plone2"] != 4 {
		t.Errorf("clients: %v", clients)
	}
	for _, want := range []Finding{
		{Path: "plonec.os", Text: "Ubuntu 14.04"},
		{Path: "plonec.plone_version", Text: "Python 2.7"},
		{Path: "instances.plone3", Text: "Mo 8-11 Tu 8-10,20-21 UTC"},
		{Path: "instances.plone4", Text: "up from 80.0 % CPU, down from 30.0 %"},
		{Path: "layers.zeoserver", Text: "EBS volume of 50 GiB"},
		{Path: "layers.zeoserver", Text: "townhall::firewall"},
		{Path: "layers.lb", Text: "Elastic IP"},
		{Path: "layers.plone_instances", Text: "libjpeg8-dev"},
		{Path: "layers.plone_instances", Text: "auto healing"},
		{Path: "haproxy.stats_pasword", Text: "did you mean haproxy.stats_password?"},
		{Path: "plone_zeoserver", Text: "the cookbook did not read"},
		{Path: "deploy.site.ssl_certificate_key", Text: "secrets/site.ssl_certificate_key"},
		{Path: "papertrail", Text: "nothing renders"},
		{Path: "ntp", Text: "another cookbook's"},
	} {
		if !asks(m, want.Path, want.Text) {
			t.Errorf("nothing asks about %s: %s\n%s", want.Path, want.Text, strings.Join(m.Decisions(), "\n"))
		}
	}
	for _, path := range []string{"traceview.access_key", "plone_instances.traceview_tracing", "haproxy.maxconn", "haproxy.health_check_url",
		"deploy.site.buildout_init_commands[0].init_type"} {
		if !drops(m, path) {
			t.Errorf("%s is not said to be left out", path)
		}
	}
}

// No value of a secret, known or not, is in what is committed or printed.
func TestSecretsStayOut(t *testing.T) {
	dir := "testdata/opsworks/"
	for _, m := range []*Migration{
		convert(t, example(t, "examples/opsworks-export/stack.json")...),
		convert(t, example(t, dir+"stacks.json", dir+"layers.json", dir+"instances.json", dir+"apps.json")...),
		convert(t, `{"deploy": {"a": {"scm": {"repository": "https://bob:not-a-real-one@example.org/b.git"},
			"database": {"host": "db.example.org", "database": "p", "username": "u", "password": "a-real-password"}}},
			"plone_instances": {"app_name": "a", "enable_relstorage": true, "stats_pasword": "the-key-of-a"},
			"layers": {"x": {"roles": [], "custom_json": {"haproxy": {"stats_password": "not-a-real-stats"}}}}}`),
	} {
		out := string(m.Stack) + m.Markdown() + strings.Join(m.Decisions(), "\n")
		for _, secret := range []string{"not-a-real", "not a real", "a-real-password", "the-key-of-a", "a-password-that", "FILTERED"} {
			if i := strings.Index(out, secret); i >= 0 {
				t.Errorf("%q is shown: %s", secret, out[max(0, i-80):min(len(out), i+80)])
			}
		}
		known := 0
		for _, s := range m.Secrets {
			if !s.Withheld {
				known++
			}
			if !strings.Contains(string(m.Stack), `{$secret: "file:secrets/`+s.Name+`"}`) {
				t.Errorf("nothing refers to %s", s.Name)
			}
		}
		if known == 0 {
			t.Error("no secret was taken over")
		}
		good(t, m)
	}
}

// A host's own JSON: everything that the service sent goes, with its reason.
func TestHostJSON(t *testing.T) {
	m := convert(t, example(t, "examples/opsworks-export/stack.json")...)
	tree, topo := good(t, m)
	if got := get(tree, "deploy/zeoserver"); strings.Contains(got, "keep_releases") || strings.Contains(got, "domains") {
		t.Errorf("what is a default stays: %s", got)
	}
	for _, h := range topo.Hosts {
		for _, a := range h.Apps {
			if h.Name == "plone1" && len(a.Clients) != 4 { // ceil(16 × 2 / 8)
				t.Errorf("%d clients", len(a.Clients))
			}
		}
	}
	if !drops(m, "recipes") || !drops(m, "deploy.plone_instances.symlinks") || !asks(m, "ssh_users", "librarian") || !asks(m, "ebs", "/mnt/shared") || !asks(m, "plonec.public_scheme", "library") {
		t.Error(m.Markdown())
	}
}

// What plonec check has to say of a stack from the first minute is in its report, and
// nothing that this program wrote by itself is to be taken out again.
func TestWarningsAreInTheReport(t *testing.T) {
	dir := "testdata/opsworks/"
	for name, texts := range map[string][]string{
		"outputs":    example(t, dir+"stacks.json", dir+"layers.json", dir+"instances.json", dir+"apps.json"),
		"of a host":  example(t, "examples/opsworks-export/stack.json"),
		"idle group": {`{"plone_instances": {"app_name": "a"}, "celery_enabled": false, "haproxy": {"balance": "source"}, "deploy": {"a": {"scm": {"repository": "https://git.example.com/b.git"}}}, "opsworks": {"layers": {"plone_instances": {"instances": {"p1": {"private_ip": "10.0.0.1", "backends": 8, "status": "online"}}}}}}`},
	} {
		m := convert(t, texts...)
		built, list, err := compile.Assemble(evaluate(t, m.Stack), tree.Inputs{}, &compile.Options{})
		if built == nil || err != nil {
			t.Fatal(name, list, err)
		}
		idle, err := built.Idle(list)
		if err != nil {
			t.Fatal(name, err)
		}
		for _, d := range append(list, idle...) {
			if !slices.ContainsFunc(m.Report.Decide, func(f Finding) bool { return f.Path == d.Path && f.Text == d.Message }) {
				t.Errorf("%s: %s: %s is not in the report", name, d.Path, d.Message)
			}
			if d.Path == "opsworks_initial_setup.ephemeral_mount_point" {
				t.Errorf("%s: %s", name, d.Message)
			}
		}
		if name == "idle group" && !asks(m, "haproxy.balance", "no effect") {
			t.Errorf("%s: %s", name, m.Markdown())
		}
	}
}

// The parity cases, of which the original cookbook's results are known, have
// the same clients after a migration.
func TestParityCasesMigrate(t *testing.T) {
	files, err := filepath.Glob("../../testdata/parity/*.stack.json")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := convert(t, string(data))
		_, after := good(t, m)
		tree, _ := input.ReadJSON(&diag.File{Name: name, Content: data})
		d, _ := schema.Load(tree)
		before, _ := topology.Resolve(d)
		if a, b := describe(after), describe(before); a != b {
			t.Errorf("%s: before\n%s\nafter\n%s", name, b, a)
		}
	}
}

func describe(t *topology.Topology) string {
	var b strings.Builder
	for _, h := range t.Hosts {
		fmt.Fprintf(&b, "%s %s %v\n", h.Name, h.Address, h.Roles)
		for _, a := range h.Apps {
			fmt.Fprintf(&b, "  %s %d clients at %s, zeo %v, solr %s, broker %s, memcached %v\n", a.Name, len(a.Clients), a.Storage.ZeoAddress, a.Zeo != nil, a.SolrHost, a.BrokerHost, a.MemcachedServers)
		}
	}
	return b.String()
}

// Custom JSON merges as OpsWorks did: a deployment's over the stack's, the
// layer's apart.
func TestPrecedence(t *testing.T) {
	host := `{"opsworks": {"layers": {"plone_instances": {"instances": {"app1": {"private_ip": "10.0.0.1", "backends": "8"}}}}},
		"plone_instances": {"per_cpu": 1, "site_id": "host"}, "deploy": {"plone_instances": {"scm": {"repository": "https://example.org/b.git"}}}}`
	stacks := `{"Stacks": [{"StackId": "s", "Name": "S", "CustomJson": "{\"plone_instances\": {\"per_cpu\": 2, \"zserver_threads\": 3}}"}]}`
	layers := `{"Layers": [{"StackId": "s", "LayerId": "l", "Shortname": "plone_instances", "CustomJson": "{\"plone_instances\": {\"per_cpu\": 4}}"}]}`
	custom := `{"plone_instances": {"per_cpu": 3}}`
	for _, texts := range [][]string{{host, stacks, layers, custom}, {custom, layers, stacks, host}} {
		tree, _ := good(t, convert(t, texts...))
		for path, want := range map[string]string{
			"plone_instances/per_cpu": "3", "plone_instances/zserver_threads": "3", "plone_instances/site_id": `"host"`,
			"layers/plone_instances/custom_json/plone_instances/per_cpu": "4",
		} {
			if got := get(tree, path); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"Deployments": []}`: "none of its keys",
		`{"a": 1}`:            "none of its keys",
		`{"Instances": []}`:   "it lists nothing",
		`{"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}`: "creates nothing in OpsWorks",
		`[]`: "want a map, got a list",
		`{"plone_instances" : "buildout_parts_to_include": []}`:                                                "",
		`{"Stacks": [{"Name": "A", "StackId": "1"}, {"Name": "B", "StackId": "2"}]}`:                           "the files describe several stacks: A (1), B (2)",
		`{"Apps": [{"StackId": "1", "Shortname": "a"}, {"StackId": "2", "Shortname": "b"}]}`:                   "2 stacks: 1, 2",
		`{"Stacks": [{"StackId": "1", "CustomJson": "{\"haproxy\": {\"stats_password\": \"s3cret-s3cret\""}]}`: "",
		`{"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"A": {"Type": "AWS::S3::Bucket"}}}`:          "creates nothing in OpsWorks",
	} {
		m, list := Convert([]*diag.File{{Name: "x.json", Content: []byte(text)}})
		if m != nil || list.Errors() == 0 {
			t.Errorf("%s was taken", text)
			continue
		}
		var b strings.Builder
		if err := (diag.Text{}).Format(&b, list); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) || strings.Contains(b.String(), "s3cret") {
			t.Errorf("%s: %s", text, b.String())
		}
	}
}

// What the documentation of OpsWorks and of the cookbook shows, in its forms:
// addresses that are none, hosts without layers, layers of PHP, texts in the
// place of secrets, sections under names that were never read.
func TestShapesOfTheDocumentation(t *testing.T) {
	for name, text := range map[string]string{
		"instances alone": `{"Instances": [{"StackId": "1", "LayerIds": ["26cf"], "Status": "online", "InstanceType": "t1.micro", "Hostname": "ip-192-0-2-0", "PrivateIp": "10.31.39.66", "PublicIp": "192.0.2.06", "ReportedOs": {}},
			{"StackId": "1", "LayerIds": ["26cf"], "Status": "booting", "InstanceType": "c3.large", "Hostname": "custom11", "PrivateIp": "10.31.39.158", "PublicIp": "192.0.2.0"}]}`,
		"an archive":       `{"Apps": [{"StackId": "1", "AppSource": {"Url": "https://s3.example.com/demo.zip", "Type": "archive"}, "SslConfiguration": {}, "Attributes": {"RailsEnv": null}, "Shortname": "simplejsp"}]}`,
		"layers of others": `{"Layers": [{"StackId": "1", "Type": "db-master", "LayerId": "2", "Shortname": "db-master", "Attributes": {"MysqlRootPassword": "*****FILTERED*****"}, "VolumeConfigurations": [{"MountPoint": "/vol/mysql", "Size": 10}]}, {"StackId": "1", "Type": "custom", "LayerId": "3", "Shortname": "tomcustom", "CustomRecipes": {"Setup": ["tomcat::setup"]}}]}`,
		"another cookbook": `{"Stacks": [{"StackId": "1", "Name": "TomStack", "CustomJson": "{\n \"tomcat\": {\"base_version\": 7}, \"datasources\": {\"ROOT\": \"jdbc/mydb\"}}"}]}`,
		"php": `{"opsworks": {"layers": {"php-app": {"instances": {"php-app1": {"elastic_ip": null, "ip": "192.0.2.1", "private_ip": "10.252.0.203", "backends": 8, "instance_type": "c1.medium", "status": "online"}}}, "lb": {"instances": {"lb1": {"private_ip": "10.252.0.9"}}}},
			"instance": {"hostname": "php-app1", "layers": ["php-app"], "private_ip": "10.252.0.203"}}, "deploy": {"simple": {"environment_variables": {"USER_KEY": "somepassword"}, "deploying_user": "arn:aws:iam::1:user/x", "symlink_before_migrate": {"config/opsworks.php": "opsworks.php"}, "stack": {"needs_reload": false}}}}`,
		"custom json":    `{"plone_instances": {"celery_enabled": false, "broker_layer": "redis", "nfs_blobs": true}, "deploy": {"solr": {"buildout_extends": []}}, "ebs_snapshots": {"aws_key": "***** AWS KEY *****", "aws_secret": "***** AWS SECRET *****"}}`,
		"zeo":            `{"plone_instances": {"app_name": "plone_instances", "nfs_blobs": true}, "zeoserver": {"nfs_blobs": true}, "deploy": {"plone_instances": {}, "zeoserver": {}}}`,
		"relstorage":     `{"plone_instances": {"shared_blobs": false, "enable_relstorage": true}, "deploy": {"plone_instances": {}}}`,
		"solr":           `{"plone_instances": {"solr_enabled": true, "app_name": "a"}}`,
		"stopped":        `{"Layers": [{"LayerId": "1", "Shortname": "lb"}, {"LayerId": "2", "Shortname": "plone_instances"}], "Instances": [{"Hostname": "LB1", "LayerIds": ["1"], "Status": "stopped"}, {"Hostname": "app1", "LayerIds": ["2"], "Status": "stopped"}]}`,
		"template":       `{"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"S": {"Type": "AWS::OpsWorks::Stack", "Properties": {"Name": {"Ref": "AWS::StackName"}, "DefaultOs": "Amazon Linux"}}, "L": {"Type": "AWS::OpsWorks::Layer", "Properties": {"StackId": {"Ref": "S"}, "Shortname": "web1", "CustomRecipes": {"Setup": ["plone_buildout::nginx"]}, "CustomJson": {"nginx_plone": {"enable_ssi": true}}}}, "P": {"Type": "AWS::OpsWorks::Layer", "Properties": {"StackId": {"Ref": "S"}, "Shortname": "plone_instances"}}, "Z": {"Type": "AWS::OpsWorks::Layer", "Properties": {"StackId": {"Ref": "S"}, "Shortname": "zeoserver"}}, "A": {"Type": "AWS::OpsWorks::App", "Properties": {"StackId": {"Ref": "S"}, "Shortname": "plone_instances", "AppSource": {"Url": "https://example.org/b.git", "Revision": "plone-5.0"}}}}}`,
		"nothing at all": `{"deploy": {}}`,
	} {
		t.Run(name, func(t *testing.T) {
			m := convert(t, text)
			tree, _ := good(t, m)
			switch name {
			case "instances alone":
				if !asks(m, "instances.ip-192-0-2-0", "describe-layers") || !asks(m, "instances.ip-192-0-2-0.ssh_address", "its value is refused") {
					t.Error(m.Markdown())
				}
			case "template":
				if get(tree, "layers/web1/roles") != `["frontend"]` || get(tree, "plonec/plone_version") != `"5.0"` || get(tree, "opsworks_initial_setup/ephemeral_mount_point") != `"/media/ephemeral0"` {
					t.Errorf("%s", m.Stack)
				}
			case "stopped":
				if get(tree, "instances/app1/status") != "" || !asks(m, "instances", "no host was online") {
					t.Errorf("%s", m.Stack)
				}
			case "custom json":
				for _, s := range m.Secrets {
					if !s.Withheld {
						t.Errorf("%s is taken for a secret's value", s.Name)
					}
				}
			}
		})
	}
}

// The stack is written as cue fmt would have it, less the alignment of values,
// and the same each time.
func TestStackIsSteady(t *testing.T) {
	texts := example(t, "testdata/opsworks/stacks.json", "testdata/opsworks/layers.json", "testdata/opsworks/instances.json", "testdata/opsworks/apps.json")
	one, two := convert(t, texts...), convert(t, texts...)
	if string(one.Stack) != string(two.Stack) || one.Markdown() != two.Markdown() {
		t.Error("two migrations of the same files differ")
	}
	if _, err := format.Source(one.Stack); err != nil {
		t.Error(err)
	}
	for _, line := range strings.Split(string(one.Stack), "\n") {
		if strings.TrimRight(line, " \t") != line {
			t.Errorf("blanks at the end of %q", line)
		}
	}
}

// Whoever gives the service's outputs to plonec check is told of plonec init.
func TestOutputsAreNoStack(t *testing.T) {
	for _, o := range append(outputs, struct{ key, command string }{"Resources", "a template"}) {
		_, list := schema.Load(mapping(o.key, list()))
		if !slices.ContainsFunc(list, func(d diag.Diagnostic) bool {
			return d.Code == "unknown-key" && strings.Contains(d.Remedy, "init --from-opsworks")
		}) {
			t.Errorf("%s: %+v", o.key, list)
		}
	}
}

// What volumes were for are attributes.
func TestMountPoints(t *testing.T) {
	for _, m := range mountPoints {
		if schema.Lookup(strings.Join(m.path, ".")) == nil {
			t.Errorf("there is no attribute %v", m.path)
		}
	}
}

// Whatever text a stack holds comes out of the CUE as it went in, and whatever
// is read ends in a stack that CUE can read.
func FuzzConvert(f *testing.F) {
	f.Add("x", "server {\n\tlocation / { }\n}\n")
	f.Add("a-b", "\\(secret) \"\"\" # \\n\r\x7f\u2028")
	f.Add("_x", "line\n\"\"\"\n\n")
	f.Add("$secret", "#\"")
	f.Fuzz(func(t *testing.T, name, text string) {
		n := mapping("a", mapping(name, input.NewMap(diag.Span{}, []input.Field{{Key: name, Value: &input.Node{Kind: input.String, Text: text}}}),
			"l", list(&input.Node{Kind: input.String, Text: text}, mapping("t", &input.Node{Kind: input.String, Text: text}))))
		stack := draft.Write(nil, mapping("deploy", n), nil, nil)
		v := cuecontext.New().CompileBytes(stack)
		data, err := v.MarshalJSON()
		if err != nil {
			if !strings.Contains(text+name, "\uFFFD") && validText(name) && validText(text) {
				t.Fatalf("%v\n%s", err, stack)
			}
			return
		}
		if !validText(name) || !validText(text) {
			return
		}
		tree, _ := input.ReadJSON(&diag.File{Content: data})
		if got := at(tree, []string{"deploy", "a", "l", "[0]"}); got == nil || got.Text != text {
			t.Errorf("%q came out as %+v\n%s", text, got, stack)
		}
	})
}

func validText(s string) bool { return strings.ToValidUTF8(s, "") == s && !strings.ContainsRune(s, 0) }

// Root works by path where an app lies, so that an app in a user's home is moved,
// and that is a decision.
func TestHomes(t *testing.T) {
	stack := func(app string) string {
		return `{"opsworks": {"layers": {"plone_instances": {"instances": {"a": {"private_ip": "10.0.0.2", "backends": 8}}}}},
		  "plone_instances": {"zeo": {"address": "10.9.9.9:8001"}},
		  "deploy": {"plone_instances": {"scm": {"repository": "https://git.example.com/b.git"}, ` + app + `}}}`
	}
	for app, want := range map[string][]string{
		`"deploy_to": "/home/deploy/plone"`:                            {`"/srv/www/plone_instances"`, "", "deploy.plone_instances.deploy_to"},
		`"deploy_to": "/srv/plone/site", "home": "/srv/plone"`:         {`"/srv/www/plone_instances"`, `"/srv/plone"`, "deploy.plone_instances.deploy_to"},
		`"home": "/srv/www"`:                                           {"", "", "deploy.plone_instances.home"},
		`"deploy_to": "/srv/www/plone_instances", "home": "/srv/www"`:  {"", "", "deploy.plone_instances.home"},
		`"deploy_to": "/srv/plone/site", "home": "/home/deploy/plone"`: {`"/srv/plone/site"`, `"/home/deploy/plone"`, ""},
	} {
		m := convert(t, stack(app))
		tree, _ := good(t, m)
		if dir, home := get(tree, "deploy/plone_instances/deploy_to"), get(tree, "deploy/plone_instances/home"); dir != want[0] || home != want[1] {
			t.Errorf("%s: deploy_to %s, home %s; want %s", app, dir, home, want)
		}
		if want[2] != "" && !asks(m, want[2], "could redirect root there") {
			t.Errorf("%s: it is not asked about", app)
		}
	}
}

// Whatever goes into git in plain is listed: each variable that nothing takes for
// a secret, each pasted text, in the stack and in a layer's custom JSON. Values
// that look like secrets are put aside, whatever they are called.
func TestPlainIsListed(t *testing.T) {
	m := convert(t, `{
	  "opsworks": {"layers": {"plone_instances": {"instances": {"app1": {"private_ip": "10.0.0.1", "backends": 4}}}}},
	  "plone_instances": {"app_name": "site"},
	  "nginx_plone": {"additional_servers": "map $uri $x { default 1; }", "additional_config": ""},
	  "deploy": {"site": {
	    "scm": {"repository": "https://git.example.org/site.git"},
	    "environment": {"GEO": "https://geo.example.com/", "LANG": "de", "QUEUE_URL": "amqp://u:hidden@mq/", "A_TOKEN": "hidden"},
	    "buildout_additional_config": "[client1]\nuser = admin:hidden\n"}}
	}`)
	tree, _ := good(t, m)
	for path, part := range map[string]string{
		"deploy.site.environment.GEO": "in plain", "deploy.site.environment.LANG": "in plain",
		"nginx_plone.additional_servers": "as it is", "deploy.site.buildout_additional_config": "as it is",
	} {
		if !asks(m, path, part) {
			t.Errorf("nothing says that %s goes into git", path)
		}
	}
	if !asks(m, "deploy.site.buildout_additional_config", "looks like a user with a password") {
		t.Error("the password in a pasted text is not spoken of")
	}
	for _, path := range []string{"deploy.site.environment.QUEUE_URL", "deploy.site.environment.A_TOKEN", "nginx_plone.additional_config"} {
		if asks(m, path, "goes into git") {
			t.Errorf("%s is listed, and is not in the stack in plain", path)
		}
	}
	if got := get(tree, "deploy/site/environment/QUEUE_URL"); got != `{$secret: "file:secrets/site.QUEUE_URL"}` {
		t.Error("QUEUE_URL is", got)
	}
	if strings.Contains(m.Markdown(), "hidden") {
		t.Errorf("the report shows a secret:\n%s", m.Markdown())
	}

	layered := convert(t, `{"Layers": [{"LayerId": "1", "Shortname": "web", "Name": "Web", "CustomJson": "{\"deploy\": {\"site\": {\"environment\": {\"GEO\": \"x\"}}}}", "CustomRecipes": {"Setup": ["plone_buildout::instances-setup"]}}]}`,
		`{"Instances": [{"InstanceId": "i", "Hostname": "app1", "LayerIds": ["1"], "PrivateIp": "10.0.0.1", "Status": "online"}]}`)
	if !asks(layered, "layers.web.custom_json.deploy.site.environment.GEO", "in plain") {
		t.Errorf("a layer's variable is not listed:\n%s", layered.Markdown())
	}
}

// The short way, in which plonec compiles a host's JSON as it is, and init
// --from-opsworks take the same for what the service set by itself.
func TestShortWay(t *testing.T) {
	const host = `{
	  "opsworks": {"stack": {"name": "x"}, "layers": {"lb": {"instances": {"a": {"private_ip": "10.0.0.1", "status": "online"}}}}},
	  "haproxy": {"stats_url": "/haproxy?stats", "stats_user": "opsworks", "health_check_url": "/", "health_check_method": "OPTIONS", "enable_stats": false,
	    "global_max_connections": "80000", "default_max_connections": "40000"}}`
	raw, list := input.ReadJSON(&diag.File{Name: "host.json", Content: []byte(host)})
	if list.Errors() > 0 {
		t.Fatal(list)
	}
	short, list := schema.Load(raw)
	if list.Errors() > 0 {
		t.Errorf("the short way: %v", list)
	}
	m := convert(t, host)
	long, _ := schema.Load(evaluate(t, m.Stack))
	if s, l := short.Base.Haproxy, long.Base.Haproxy; !reflect.DeepEqual(s, l) {
		t.Errorf("the short way: %+v\ninit:          %+v", s, l)
	}
}

// An app that starts its own ZEO server, as the cookbook's README had it for one host,
// gets no second one.
func TestOneHostForAll(t *testing.T) {
	custom := `{"plone_instances": {"app_name": "site"}, "deploy": {"site": {"scm": {"repository": "https://git.example.com/b.git"},
	  "buildout_parts_to_include": ["zeoserver"], "buildout_init_commands": [{"name": "zeoserver", "cmd": "bin/zeoserver", "args": "fg"}]}}}`
	defaults := `{"plone_instances": {"app_name": "site"}, "deploy": {"site": {"scm": {"repository": "https://git.example.com/b.git"}}},
	  "deploy_buildout": {"parts_to_include": ["zeoserver"], "init_commands": [{"name": "zeoserver", "cmd": "bin/zeoserver", "args": "fg"}]}}`
	host := `{"web1": {"private_ip": "10.0.0.11", "status": "online", "backends": 4}}`
	layered := strings.Replace(custom, `{`, `{"opsworks": {"layers": {"lb": {"instances": `+host+`}, "zeoserver": {"instances": `+host+`}, "plone_instances": {"instances": `+host+`}}}, `, 1)
	for _, stack := range []string{custom, defaults, layered} {
		m := convert(t, stack)
		tree, topo := good(t, m)
		if get(tree, "deploy/zeoserver") != "" {
			t.Errorf("another ZEO server: %s", get(tree, "deploy"))
		}
		if len(topo.Hosts) != 1 || len(topo.Hosts[0].Apps) != 1 || topo.Hosts[0].Apps[0].Zeo == nil || topo.Hosts[0].Front == nil {
			t.Errorf("%+v", topo.Hosts)
		}
		if stack != layered && !asks(m, "instances", "one that does everything is invented") {
			t.Error("it is not asked about")
		}
	}
}
