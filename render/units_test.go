package render

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// processHost is a host that runs everything that has a unit: a ZEO server,
// two clients and a Celery worker.
func processHost() *topology.Host {
	stack := &schema.Stack{
		Plonec: &schema.Plonec{OS: system, PloneVersion: "6.2", MemoryMax: "2G",
			DrainTimeout: schema.Seconds(60 * time.Second), StartTimeout: schema.Seconds(180 * time.Second)},
		PloneInstances: &schema.PloneInstances{AppName: "site", SiteID: "Plone", SharedBlobs: true, RestartDelay: schema.Seconds(2 * time.Second)},
		PloneZeoserver: &schema.PloneZeoserver{AppName: "site", FilestorageDir: "/data/filestorage"},
		PloneBlobs:     &schema.PloneBlobs{BlobDir: "/data/blobs"},
		System:         &schema.System{Timezone: "Europe/Berlin"},
		Tmpdir:         &schema.Tmpdir{},
		Haproxy:        &schema.Haproxy{HealthCheckURL: "/ok", CheckInterval: schema.Millis(2 * time.Second), Rise: 2, Fall: 3},
	}
	h := &topology.Host{Name: "app1", Address: "10.0.0.11", System: ownSystem(), Online: true, Stack: stack,
		Roles: []topology.Role{topology.Clients, topology.Zeo}}
	shared := []string{"var", "eggs", "downloads", "extends"}
	a := &topology.App{Name: "site", Host: h, WSGI: true, Storage: topology.Storage{ZeoAddress: "127.0.0.1:8001"},
		Config: &schema.App{DeployTo: "/srv/www/site", User: "deploy", Group: "www-data", Home: "/home/deploy", KeepReleases: 5,
			SCM:                     schema.SCM{Type: "git", Repository: "git@example.com:site.git", Revision: "main"},
			EnableSubmodules:        true,
			SymlinkBeforeMigrate:    map[string]string{"var": "var", "eggs": "eggs", "downloads": "downloads", "extends": "extends"},
			PurgeBeforeSymlink:      shared,
			CreateDirsBeforeSymlink: shared,
			BuildoutConfig:          "deploy.cfg",
			Parts:                   schema.PartNames{Client: "client1", Zeoserver: "zeoserver"},
		}}
	for n, name := range []string{"client1", "client2"} {
		a.Clients = append(a.Clients, &topology.Client{Threads: 4, Process: topology.Process{App: a, N: n + 1, Name: name, Unit: "plone-site-" + name + ".service",
			Address: "127.0.0.1", Port: 8081 + n, AgentPort: 9081 + n}})
	}
	a.Zeo = &topology.ZeoServer{App: a, Unit: "plone-site-zeo.service", Address: "127.0.0.1", Port: 8001,
		FilestorageDir: "/data/filestorage", BlobDir: "/data/blobs"}
	a.Commands = []*topology.Command{{App: a, Name: "celery", Unit: "plone-site-celery.service", Cmd: "bin/celery",
		Args: `-A "my app" worker --loglevel=INFO -n 'a;b%$HOME'`}}
	h.Apps = []*topology.App{a}
	return h
}

// content renders one file of a host, and no other.
func content(t *testing.T, h *topology.Host, path string) string {
	t.Helper()
	for _, a := range artifacts {
		for _, i := range a.Each(h) {
			if i.Path == path {
				return written(t, a.Template, i.Data)
			}
		}
	}
	t.Fatalf("no %s", path)
	return ""
}

// TestUnitsVerify lets systemd read every unit. It ends 0 on unknown settings:
// any word is a failure.
func TestUnitsVerify(t *testing.T) {
	supervisor := processHost()
	supervisor.Apps[0].Config.BuildoutSupervisorPart = "supervisor"
	home := processHost()
	home.Apps[0].Config.DeployTo = "/home/deploy/site"
	bare := processHost()
	bare.Stack.Plonec.MemoryMax = ""
	bare.Stack.PloneBlobs.BlobDir = ""
	bare.Apps[0].Zeo = nil
	bare.Apps[0].Name = "my-site--x"
	bare.Apps[0].Commands = nil
	for name, h := range map[string]*topology.Host{"all": processHost(), "supervisor": supervisor, "home": home, "bare": bare} {
		t.Run(name, func(t *testing.T) {
			if out := verifyUnits(t, h); out != "" {
				t.Errorf("systemd-analyze says:\n%s", out)
			}
		})
	}
	t.Run("control", func(t *testing.T) {
		h := processHost()
		h.Apps[0].Config.User = "deploy\nNoSuchSetting=1"
		if out := verifyUnits(t, h); !strings.Contains(out, "NoSuchSetting") {
			t.Errorf("a wrong setting went unnoticed: %s", out)
		}
	})
}

// verifyUnits gives what systemd says of a host's units among no more than they
// need. What they run is stood in for, at another place: systemd-analyze before
// 250 knows no --root.
func verifyUnits(t *testing.T, h *topology.Host) string {
	t.Helper()
	root := t.TempDir()
	write := func(path string, content []byte, mode os.FileMode) {
		if err := os.MkdirAll(filepath.Dir(root+path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+path, content, mode); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Host(h)
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile(`(?m)^(Exec\w+=\+?"?)(/[^" ]+)`)
	var units []string
	for _, f := range files {
		if !strings.HasPrefix(f.Path, unitDir) || strings.Contains(f.Path, ".d/") {
			continue
		}
		for _, m := range program.FindAllSubmatch(f.Content, -1) {
			write(string(m[2]), []byte("#!/bin/sh\n"), 0o755)
		}
		write(f.Path, program.ReplaceAll(f.Content, []byte("${1}"+root+"${2}")), 0o644)
		units = append(units, root+f.Path)
	}
	if len(units) < 3 {
		t.Fatalf("hardly any units: %s", units)
	}
	return verify(t, units...)
}

// verify gives what systemd-analyze says of units. The only others there are
// systemd's own that ours refer to.
func verify(t *testing.T, units ...string) string {
	t.Helper()
	base := t.TempDir()
	for _, unit := range []string{"basic.target", "sysinit.target", "shutdown.target", "multi-user.target", "network.target",
		"network-online.target", "local-fs.target", "paths.target", "slices.target", "sockets.target", "timers.target",
		"time-set.target", "umount.target", "tmp.mount", "systemd-tmpfiles-setup.service"} {
		data, err := os.ReadFile("/usr/lib/systemd/system/" + unit)
		if err != nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(base, unit), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program(t, "systemd-analyze"), append([]string{"verify", "--man=no"}, units...)...)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+base)
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		return err.Error()
	}
	return string(out)
}

func TestUnitNames(t *testing.T) {
	h := processHost()
	h.Apps[0].Name = "my-site"
	var got []string
	for _, a := range artifacts {
		for _, i := range a.Each(h) {
			if name, ok := strings.CutPrefix(i.Path, unitDir); ok {
				got = append(got, name)
			}
		}
	}
	slices.Sort(got)
	want := []string{`plone-my\x2dsite.slice`, "plone-site-celery.service", "plone-site-client1.service", "plone-site-client2.service",
		"plone-site-zeo.service", "plone.slice", "plonec-agent.service"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestClientUnit(t *testing.T) {
	unit := content(t, processHost(), "/etc/systemd/system/plone-site-client2.service")
	for _, line := range []string{
		`ExecStart=/usr/local/lib/plonec/with-env "/etc/plonec/site/app.env" "/srv/www/site/current/bin/client2" console`,
		`ExecStartPost=+/usr/local/lib/plonec/unit up "site" %N "127.0.0.1" 8082 "/ok" "/Plone" 180`,
		`ExecStop=+/usr/local/lib/plonec/unit drain "site" %N 8082 60`,
		"KillSignal=SIGINT",
		"TimeoutStartSec=270",
		"TimeoutStopSec=120",
		"MemoryHigh=1932735283",
		"MemoryMax=2G",
		`ReadWritePaths="/srv/www/site/shared" "/data/blobs"`,
		`RequiresMountsFor="/data/blobs"`,
		"ProtectHome=yes",
	} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("no %s in\n%s", line, unit)
		}
	}
}

// TestNoEnvironmentForRoot: no unit that plonec writes has variables but its own
// constant. What a unit sets, its commands that run as root find too, and a
// library to be loaded or a file that a shell starts with would run as root.
func TestNoEnvironmentForRoot(t *testing.T) {
	supervisor := processHost()
	supervisor.Apps[0].Config.BuildoutSupervisorPart = "supervisor"
	variable := regexp.MustCompile(`(?m)^(Environment|EnvironmentFile|PassEnvironment|UnsetEnvironment)=.*`)
	roots := 0
	for _, h := range []*topology.Host{processHost(), supervisor} {
		h.Apps[0].Config.Environment = map[string]schema.EnvValue{
			"LD_PRELOAD": {Text: "/tmp/library.so"}, "SECRET": {Secret: schema.Secret{Plain: "sentinel", Source: "stack:/x"}},
		}
		files, err := Host(h)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasPrefix(f.Path, unitDir) {
				continue
			}
			roots += strings.Count(string(f.Content), "=+")
			for _, line := range variable.FindAllString(string(f.Content), -1) {
				if line != "Environment=PLONEC_SERVER_STATE=/run/plonec-haproxy/servers" {
					t.Errorf("%s: %s", f.Path, line)
				}
			}
		}
	}
	if roots < 10 {
		t.Errorf("only %d commands run as root: this proves nothing", roots)
	}
}

// TestSecretsFile: a unit asks for the file of an app's secrets where there is
// one, since it does not start without.
func TestSecretsFile(t *testing.T) {
	const path, line = "/etc/systemd/system/plone-site-client2.service", "\nLoadCredential=secrets.env:/etc/plonec/site/secrets.env\n"
	h := processHost()
	if unit := content(t, h, path); strings.Contains(unit, "LoadCredential") {
		t.Errorf("an app without secrets: %s", unit)
	}
	h.Apps[0].Config.Environment = map[string]schema.EnvValue{"SECRET": {Secret: schema.Secret{Ref: "env:S", Source: "env:S"}}}
	if unit := content(t, h, path); !strings.Contains(unit, line) || len(appSecrets(h)) != 1 {
		t.Errorf("an app with a secret: %s", unit)
	}
}

// TestZeoUnit: the server never starts with an empty database by accident.
func TestZeoUnit(t *testing.T) {
	unit := content(t, processHost(), "/etc/systemd/system/plone-site-zeo.service")
	for _, line := range []string{
		"AssertPathExists=/data/filestorage/Data.fs",
		`RequiresMountsFor="/data/filestorage" "/data/blobs"`,
	} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("no %s in\n%s", line, unit)
		}
	}
}

func TestCommandUnit(t *testing.T) {
	unit := content(t, processHost(), "/etc/systemd/system/plone-site-celery.service")
	want := `ExecStart=/usr/local/lib/plonec/with-env "/etc/plonec/site/app.env" "/srv/www/site/current/bin/celery" "-A" "my app" "worker" "--loglevel=INFO" "-n" "a;b%%$$HOME"`
	if !strings.Contains(unit, want+"\n") {
		t.Errorf("no %s in\n%s", want, unit)
	}
}

func TestMemory(t *testing.T) {
	for limit, want := range map[string]string{"": "", "2G": "1932735283", "512M": "483183820", "1000": "900", "1T": "989560464998", "9999999999999T": "1152921504606846976"} {
		if got, _ := memory(limit); got != want {
			t.Errorf("%s: MemoryHigh %s, want %s", limit, got, want)
		}
	}
}
