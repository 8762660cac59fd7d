package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/topology"
)

// TestBuildout builds the zeo example for real, client host and ZEO host, and
// Plone's place is taken by plain Zope, which is as real and up in two
// seconds. Zope's and ZEO's own schemas read what it made; then it runs.
func TestBuildout(t *testing.T) {
	// Addresses of this run's own, all of them the loopback's.
	net := fmt.Sprintf("127.%d.%d.", 1+os.Getpid()>>8%250, os.Getpid()%256)
	blobs := filepath.Join(t.TempDir(), "blobs")
	over := write(t, fmt.Sprintf(`{
	  "instances": {"lb1": {"address": "%[1]s1"}, "app1": {"address": "%[1]s2", "cpus": 8}, "app2": {"address": "%[1]s3"}, "db1": {"address": "%[1]s4"}},
	  "plone_blobs": {"blob_dir": %[2]q},
	  "deploy": {
	    "site": {"buildout_extends": ["cfg/zope.cfg"], "buildout_additional_config": %[3]q, "environment": {"ODD": "a $HOME ${b:c} $(d) %%s \"e\" 'f' # [g]", "LATER": {"$secret": "env:LATER"}}},
	    "database": {"buildout_extends": ["cfg/zope.cfg"]}
	  }
	}`, net, "/srv/place/of/blobs", strings.Join([]string{
		"[own-macro]\n<= client1\nzeo-address = 127.0.0.1:8100\nhttp-address = " + net + "2:8083\n[client3]\n<= own-macro",
		"[client4]\nblob-storage = ${buildout:directory}/var/blobstorage",
		"[client5]\nzeo-client = off\nfile-storage = filestorage/Own.fs",
		"[client6]\nzserver-threads = 4\nthreads = 2",
		"[client7]\nhttp-address = 8080",
		"[client8]\nzeo-storage = main",
	}, "\n")))
	topo := resolved(t, "../examples/zeo/stack.json", over)

	var client, zeo string
	clientCfg, zeoCfg := cfg(t, topo, "app1", "site"), cfg(t, topo, "db1", "database")
	// No stack may put blobs below /tmp.
	zeoCfg = strings.ReplaceAll(zeoCfg, "/srv/place/of/blobs", blobs)
	var wg sync.WaitGroup
	wg.Go(func() { client = buildout(t, "app1", clientCfg) })
	wg.Go(func() { zeo = buildout(t, "db1", zeoCfg) })
	wg.Wait()
	if t.Failed() {
		return
	}

	var conf map[string]struct {
		Environment map[string]string
		CacheSize   int `json:"cache-size"`
		Address     []any
		Storage     map[string]any
		Error       string
	}
	python(t, "conf.py", map[string]string{
		"client1": client + "/parts/client1/etc/zope.conf",
		"client2": client + "/parts/client2/etc/zope.conf",
		"zeo":     zeo + "/parts/zeoserver/etc/zeo.conf",
	}, &conf)
	for name, c := range conf {
		if c.Error != "" {
			t.Errorf("%s: %s", name, c.Error)
		}
	}
	same := func(what string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	for _, name := range []string{"client1", "client2"} {
		c := conf[name]
		same(name+" environment", c.Environment["ODD"], `a $HOME ${b:c} $(d) %s "e" 'f' # [g]`)
		same(name+" environment", c.Environment["LANG"], "C.UTF-8")
		same(name+" environment", c.Environment["zope_i18n_compile_mo_files"], "true") // the base's
		same(name+" environment", c.Environment["PYTHON_EGG_CACHE"], client+"/var/of-the-base")
		if _, ok := c.Environment["LATER"]; ok {
			t.Errorf("%s: a secret variable in zope.conf", name)
		}
		same(name+" cache", c.CacheSize, 30000)
		same(name+" server", c.Storage["server"], []string{net + "4:8001"})
		same(name+" blobs shared", c.Storage["shared_blob_dir"], false)
		same(name+" blobs", c.Storage["blob_dir"], client+"/var/blobcache")
		same(name+" persistent cache", c.Storage["client"], "") // where it does not serve
		same(name+" persistent cache", c.Storage["var"], client+"/var")
	}
	// One size of an upload: waitress and Zope take what nginx lets through.
	for file, want := range map[string]string{"wsgi.ini": "\nmax_request_body_size = 134217729\n", "zope.conf": "\n  form-disk-limit 134217729\n"} {
		if text, err := os.ReadFile(client + "/parts/client2/etc/" + file); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%v: no %q in %s", err, want, file)
		}
	}
	same("zeo address", conf["zeo"].Address, []any{net + "4", 8001})
	same("zeo blobs", conf["zeo"].Storage["blob_dir"], blobs)
	same("zeo file", conf["zeo"].Storage["path"], zeo+"/var/filestorage/Data.fs")
	if t.Failed() {
		return
	}

	// What they say against what the stack says: of these clients and the ZEO server
	// nothing else, and of those that the stack's own text leads astray how.
	of := func(host, dir string, places ...string) string {
		i := slices.IndexFunc(topo.Hosts, func(h *topology.Host) bool { return h.Name == host })
		processes, rows := expected(topo.Hosts[i].Apps[0])
		for i := range rows {
			rows[i] = strings.ReplaceAll(rows[i], "/srv/place/of/blobs", blobs)
		}
		return strings.ReplaceAll(strings.Join(compare(t, dir, nil, processes, rows, places...), "\n"), dir, "DIR") + "\n"
	}
	same("the ZEO server's difference", of("db1", zeo, "var/filestorage=/srv/data/filestorage"), "server the file /srv/data/filestorage/Data.fs, blobs "+blobs+"\n")
	differences := of("app1", client)
	for _, want := range []string{
		"zeo_layer: the stack says " + net + "4:8001 for client3, parts/client3/etc/zope.conf line LINE says server 127.0.0.1:8100",
		"shared_blobs: the stack says var/blobcache for client4, parts/client4/etc/zope.conf line LINE says blob-dir DIR/var/blobstorage",
		"zeo_layer: the stack says " + net + "4:8001 for client5, parts/client5/etc/zope.conf line LINE opens DIR/var/filestorage/Own.fs by itself",
		"zserver_threads: the stack says 4 for client6, parts/client6/etc/wsgi.ini line LINE says threads 2",
		"address: the stack says " + net + "2:8087 for client7, parts/client7/etc/wsgi.ini line LINE says 0.0.0.0:8080",
		"zeo_layer: the stack says 1 for client8, parts/client8/etc/zope.conf line LINE says storage main",
	} {
		if n := len(regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(want), "LINE", `\d+`)+"\n").FindAllString(differences, -1)); n != 1 {
			t.Errorf("%d times %s in\n%s", n, want, differences)
		}
	}
	same("differences", strings.Count(differences, "differs "), 6)

	// The processes as their units start them.
	server := start(t, zeo, "parts/zeoserver/bin/runzeo")
	// One after the other: two that fill an empty database at once disturb each other.
	one := start(t, client, "bin/client1", "console")
	answers(t, one, "http://"+net+"2:8081/")
	two := start(t, client, "bin/client2", "console")
	answers(t, two, "http://"+net+"2:8082/")

	// A blob that one process writes is on the ZEO host, and comes back.
	script := filepath.Join(client, "blob.py")
	if err := os.WriteFile(script, []byte(`
import transaction
from ZODB.blob import Blob
app.blob = Blob(b"carried")
transaction.commit()
`), 0o644); err != nil {
		t.Fatal(err)
	}
	output(t, client, "bin/admin", "run", script)
	if held := output(t, blobs, "find", ".", "-name", "*.blob"); strings.Count(held, ".blob\n") != 1 {
		t.Errorf("the ZEO host holds %q", held)
	}
	if err := os.RemoveAll(filepath.Join(client, "var/blobcache")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, []byte(`print(app.blob.open().read().decode())`), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := output(t, client, "bin/admin", "run", script); !strings.Contains(got, "carried") {
		t.Errorf("the blob came back as %q", got)
	}

	// What an operator runs beside a client has no part in the cache that the client
	// keeps, which one process can have open.
	if err := os.WriteFile(script, []byte(`print("beside it", len(app.objectIds()) > 0)`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"bin/client1", "run", script}, {"bin/client2", "run", script}, {"bin/client2", "debug"}} {
		if got := output(t, client, command...); command[1] == "run" && !strings.Contains(got, "beside it True") || strings.Contains(got, "Traceback") {
			t.Errorf("%s beside a running client: %s", command, got)
		}
	}
	var kept []string
	caches, _ := filepath.Glob(client + "/var/*.zec")
	for _, cache := range caches {
		kept = append(kept, filepath.Base(cache))
	}
	same("caches that are kept", kept, []string{"zeoclient-1-1.zec", "zeoclient-2-1.zec"})

	// Each ends in time on the signal that its unit sends.
	one.end(t, syscall.SIGINT)
	two.end(t, syscall.SIGINT)
	output(t, zeo, "bin/packcronjob")
	server.end(t, syscall.SIGTERM)
}

// TestBuildoutRelstorage builds a client of the relstorage example. It has
// only to be read: the driver is left out, and no database is asked.
func TestBuildoutRelstorage(t *testing.T) {
	t.Parallel()
	// The project has caches of its own, and the stack says others.
	over := write(t, `{"plone_instances": {"relstorage": {"cache_servers": "10.0.9.9:11211"}}, "deploy": {"site": {
	  "buildout_extends": ["cfg/zope.cfg"],
	  "buildout_additional_config": "eggs =\n    Zope\n    RelStorage\n[relstorage]\ncache-local-mb = 256\n    cache-servers 127.0.0.1:11211",
	  "environment": {"MAIL_TOKEN": null}
	}}}`)
	topo := resolved(t, "../examples/relstorage/stack.json", over)
	dir := buildout(t, "app2", cfg(t, topo, "app2", "site"))
	if t.Failed() {
		return
	}
	type conf struct {
		Kind, DSN, Error string
		Storage          map[string]any
	}
	var confs map[string]conf
	python(t, "conf.py", map[string]string{"client1": dir + "/parts/client1/etc/zope.conf"}, &confs)
	c := confs["client1"]
	if c.Error != "" || c.Kind != "relstorage" || c.DSN != "dbname='plone' user='zodb' host='10.0.2.11'" || c.Storage["shared_blob_dir"] != false {
		t.Errorf("zope.conf says %+v", c)
	}
	i := slices.IndexFunc(topo.Hosts, func(h *topology.Host) bool { return h.Name == "app2" })
	processes, rows := expected(topo.Hosts[i].Apps[0])
	if got := strings.Join(compare(t, dir, nil, processes, rows), "\n"); !regexp.MustCompile(`^(differs plone_instances\.relstorage\.cache_servers: the stack says 10\.0\.9\.9:11211 for client[12], parts/client[12]/etc/zope\.conf line \d+ says cache-servers 127\.0\.0\.1:11211\n){2}clients RelStorage postgresql plone 10\.0\.2\.11$`).MatchString(got) {
		t.Errorf("against the stack:\n%s", got)
	}
	if help := output(t, dir, "bin/zodbpack", "--help"); !strings.Contains(help, "--days") {
		t.Errorf("zodbpack says %q", help)
	}
}

// buildout makes a release of the example buildout with a deploy.cfg. It may
// run beside the test, and so never ends it.
func buildout(t *testing.T, name, deployCfg string) string {
	dir := filepath.Join(t.TempDir(), name)
	err := os.CopyFS(dir, os.DirFS("../examples/buildout"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "deploy.cfg"), []byte(deployCfg), 0o644)
	}
	// A base may set what another one does not: a variable that deploy.cfg set too would
	// be twice in zope.conf, and no client would start.
	base := filepath.Join(dir, "cfg/base.cfg")
	text, readErr := os.ReadFile(base)
	own := strings.Replace(string(text), "environment-vars =\n", "environment-vars =\n    PYTHON_EGG_CACHE ${buildout:directory}/var/of-the-base\n", 1)
	if err = errors.Join(err, readErr); err == nil {
		err = os.WriteFile(base, []byte(own), 0o644)
	}
	if err != nil {
		t.Error(err)
		return ""
	}
	python, err := venv()
	if err != nil {
		t.Errorf("testdata/python/setup: %v", err)
		return ""
	}
	c := exec.Command(python+"/bin/buildout", "-c", "deploy.cfg")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%s: buildout: %v\n%s", name, err, out)
	}
	return dir
}

// A process of a release, started as its unit would.
type process struct {
	cmd  *exec.Cmd
	log  bytes.Buffer
	done chan struct{}
}

func start(t *testing.T, dir string, command ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(filepath.Join(dir, command[0]), command[1:]...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.log, &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // its log says why
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // gone already, if all went well
		<-p.done
	})
	return p
}

func (p *process) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Errorf("%s: %v", p.cmd.Path, err)
		return
	}
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		t.Errorf("%s does not end on %s", p.cmd.Path, signal)
	}
}

// answers waits until a client serves a page.
func answers(t *testing.T, p *process, url string) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		response, err := http.Get(url)
		if err == nil {
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Fatalf("%s: %s\n%s", url, response.Status, body)
			}
			return
		}
		select {
		case <-p.done:
			t.Fatalf("%s ended:\n%s", p.cmd.Path, p.log.String())
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", url, err)
		}
	}
}

// output runs a command of a release.
func output(t *testing.T, dir string, command ...string) string {
	t.Helper()
	path := command[0]
	if strings.Contains(path, "/") {
		path = filepath.Join(dir, path)
	}
	c := exec.Command(path, command[1:]...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return string(out)
}
