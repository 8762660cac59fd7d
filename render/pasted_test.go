package render

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// kept is a secret in pasted configuration.
func kept(source string) schema.Piece {
	return schema.Piece{Secret: schema.Secret{Ref: source, Source: source}}
}

// secretly gives a front end secrets in its pasted texts: alone, between texts,
// inside a block of theirs, and in a subsite.
func secretly(h *topology.Host) {
	n := h.Stack.NginxPlone
	n.AdditionalServers = schema.Pasted{kept("env:MAP")}
	n.AdditionalConfig = schema.Pasted{
		{Text: "set $order a;"}, kept("env:ONE"), {Text: "set $order \"${order}c\";\nlocation = /inside {"}, kept("env:TWO"), {Text: "}\n# the end"},
	}
	h.Front.Sites = append(h.Front.Sites, &topology.Site{App: "plone", Names: []string{"News.example.com"}, Path: "Plone/news", Extra: schema.Pasted{kept("file:x")}})
}

// TestNginxSecrets has nginx include secrets from files that only root may read
// where the tests are root's, each in its place.
func TestNginxSecrets(t *testing.T) {
	t.Parallel()
	h := frontHost(secretly)
	f, _ := echoed(t, h, func(f *front) {
		for path, text := range map[string]string{
			"additional_servers-1":              "map $http_x_key $key_fits { default 0; opensesame 1; }\n",
			"additional_config-1":               "set $order \"${order}b\";",
			"additional_config-2":               "if ($key_fits) { return 203 $order; }\nreturn 403;\n",
			"subsite_config.news.example.com-1": "location = /extra { return 206; }\n",
		} {
			f.files["/etc/nginx/secrets/"+path+".conf"] = text
			if err := os.Chmod(f.write("/etc/nginx/secrets/"+path+".conf"), 0o640); err != nil {
				t.Fatal(err)
			}
		}
	})
	if a := f.ask("GET", "www.example.com", "/inside", "X-Key: opensesame"); a.Status != 203 || a.Body != "abc" {
		t.Error("with the key:", a)
	}
	if a := f.ask("GET", "www.example.com", "/inside"); a.Status != 403 {
		t.Error("without:", a)
	}
	if a := f.ask("GET", "news.example.com", "/extra"); a.Status != 206 {
		t.Error("of the subsite:", a)
	}

	// What apply makes is what is included, and a change of it reloads nginx.
	text := content(t, h, nginxConf)
	for _, s := range Secrets(h) {
		if s.Format != "raw" {
			continue
		}
		if !strings.Contains(text, "include "+s.Path+";") {
			t.Errorf("nothing includes %s", s.Path)
		}
		if s.Mode != 0o640 || s.Owner != "root:root" || !slices.Equal(s.Effects, []string{"reload:nginx.service"}) {
			t.Errorf("%+v", s)
		}
	}
	if n := strings.Count(text, "include /etc/nginx/secrets/"); n != 1+2*3+1 {
		t.Errorf("%d includes", n)
	}
}

// TestRefusedSecret: the words of nginx on a secret file, which quote it, are not
// shown; those on other files are. The attribute that brought either is named.
func TestRefusedSecret(t *testing.T) {
	t.Parallel()
	scripts := hostScripts(t)
	for name, test := range map[string]struct {
		secret, config string
		want           []string
	}{
		"secret":       {"hiddenword hidden;\n", "", []string{"/etc/nginx/secrets/additional_config-1.conf:1: what nginx says of it is not shown", "it is from nginx_plone.additional_config: include /etc/nginx/secrets/additional_config-1.conf;"}},
		"lines":        {"add_header X \"hidden\nhidden\n", "", []string{"/etc/nginx/secrets/additional_config-1.conf:"}},
		"config":       {"gzip on;\n", "# one\nnonsense on;\n# three", []string{`unknown directive "nonsense"`, "it is from nginx_plone.additional_config: nonsense on;\n"}},
		"no semicolon": {"gzip on;\n", "# one\ngzip_types a/b", []string{"before it stands the text of nginx_plone.additional_config, which ends in: gzip_types a/b\n"}},
	} {
		f := newFront(t, frontHost(func(h *topology.Host) {
			h.Stack.NginxPlone.AdditionalConfig = schema.Pasted{kept("env:ONE"), {Text: test.config}}
		}))
		f.files["/etc/nginx/secrets/additional_config-1.conf"] = test.secret
		f.write("/etc/nginx/secrets/additional_config-1.conf")
		// As nginx itself, with the files of this test.
		bin := t.TempDir()
		wrapper := "#!/bin/sh\nexec " + program(t, "nginx") + ` "$@" '` + strings.Join(f.nginxArgs(), "' '") + "'\n"
		if err := os.WriteFile(bin+"/nginx", []byte(wrapper), 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("bash", "-O", "nullglob", "-c", `LIB=$1; . "$LIB/lib.sh"; . "$LIB/daemons.sh"; PATH=$2:$PATH; if check nginx; then exit 9; fi`, "bash", scripts, bin)
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "hidden") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		for _, want := range test.want {
			if !strings.Contains(strings.ReplaceAll(string(out), f.dir, ""), want) {
				t.Errorf("%s: %q is not in\n%s", name, want, out)
			}
		}
	}
}

// TestBuildoutSecrets: buildout reads what deploy.cfg extends: secrets win over the
// base and add to it, what deploy.cfg says wins over them.
func TestBuildoutSecrets(t *testing.T) {
	over := `{"deploy": {"site": {"buildout_additional_config": [
	  {"$secret": "env:ADMIN"}, {"$secret": "file:two"}, "eggs += plain\n[client1]\nthreads = 7\n"]}}}`
	topo := resolvedText(t, base, over)
	h := host(t, topo, "app1")
	app := h.Apps[0]
	if names := secretConfigs(app); !slices.Equal(names, []string{"plonec-secret-1.cfg", "plonec-secret-2.cfg"}) {
		t.Errorf("got %v", names)
	}
	for _, s := range appSecrets(h) {
		if s.Mode != 0o640 || s.Owner != "root:www-data" || s.Format != "raw" || !slices.Equal(s.Effects, []string{"deploy:site"}) || s.Path != "/etc/plonec/site/"+filepath.Base(s.Path) {
			t.Errorf("%+v", s)
		}
	}
	if !strings.Contains(content(t, h, "/etc/plonec/site/build.conf"), "SECRET_CONFIGS=('plonec-secret-1.cfg' 'plonec-secret-2.cfg')\n") {
		t.Error("the release is not told of its secrets")
	}

	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../examples/buildout")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{ // as the release has them: see build
		"plonec-secret-1.cfg": "[buildout]\nx-key = one\n\n[client1]\nuser = admin:one\nthreads = 3\nenvironment-vars += A ${buildout:x-key}\n",
		"plonec-secret-2.cfg": "[buildout]\n[client1]\nuser = admin:two\nenvironment-vars += B ${buildout:x-key}",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text := cfg(t, topo, "app1", "site")
	if strings.Contains(text, "ADMIN") {
		t.Errorf("deploy.cfg says where a secret comes from:\n%s", text)
	}
	read := readByBuildout(t, map[string]buildoutText{"": {Text: text, Base: &folder}})[""]
	if read.Error != "" {
		t.Fatal(read.Error)
	}
	client := read.Effective["client1"]
	if client["user"] != "admin:two" || client["threads"] != "7" {
		t.Errorf("user %q, threads %q", client["user"], client["threads"])
	}
	for _, line := range []string{"A one", "B one", "zope_i18n_compile_mo_files true"} {
		if !slices.ContainsFunc(strings.Split(client["environment-vars"], "\n"), func(l string) bool { return strings.TrimSpace(l) == line }) {
			t.Errorf("no %q in\n%s", line, client["environment-vars"])
		}
	}
	// Other clients are made like the first.
	if other := read.Effective["client2"]; other["recipe"] != "" && other["user"] != "admin:two" {
		t.Errorf("client2's user is %q", other["user"])
	}
}
