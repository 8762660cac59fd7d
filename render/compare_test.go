package render

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/topology"
)

// compare runs the real script in a release, with rows as build.conf has them, and gives
// the lines that it prints.
func compare(t *testing.T, release string, environment, processes, expected []string, places ...string) []string {
	t.Helper()
	var rows bytes.Buffer
	for _, p := range processes {
		fmt.Fprintf(&rows, "process %s\x00", p)
	}
	for _, e := range expected {
		fmt.Fprintf(&rows, "expect %s\x00", e)
	}
	cmd := exec.Command("/usr/bin/python3", append([]string{"-I", "-W", "error", "../templates/builders/compare-confs"}, places...)...)
	script, err := filepath.Abs(cmd.Args[4])
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args[4] = script
	cmd.Dir, cmd.Stdin, cmd.Env = release, &rows, append([]string{"LC_ALL=C.UTF-8"}, environment...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("compare-confs: %v\n%s", err, stderr.String())
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

const (
	zeoClient = `%define HOME /srv
<zodb_db main>
  cache-size 30000
  <zeoclient>
    blob-dir $HOME/blobs
    shared-blob-dir on
    server db1:8001
    storage 1
  </zeoclient>
  mount-point /
</zodb_db>
`
	relStorage = `%import relstorage
<zodb_db main>
  <relstorage>
    blob-dir /srv/blobs
    shared-blob-dir true
    <postgresql>
      dsn dbname='plone' user='zodb' host='db1'
    </postgresql>
  </relstorage>
  mount-point /
</zodb_db>
`
	fileStorage = `<zodb_db main>
  <blobstorage>
    blob-dir var/blobs
    <filestorage>
      path var/Data.fs
    </filestorage>
  </blobstorage>
  mount-point /
</zodb_db>
`
	wsgiIni = "[server:main]\nuse = egg:plone.recipe.zope2instance#main\nfast-listen = 10.0.0.5:8081\nthreads = 4\n\n[app:zope]\nuse = egg:Zope#main\n"
	zeoConf = "<zeo>\n  address db1:8001\n</zeo>\n<filestorage 1>\n  path var/filestorage/Data.fs\n  blob-dir var/blobstorage\n</filestorage>\n"
)

// TestCompareConfs: what a release's files say against what the stack says, line by line.
func TestCompareConfs(t *testing.T) {
	t.Parallel()
	const (
		listen   = "listen address 10.0.0.5:8081"
		threads  = "threads plone_instances.zserver_threads 4"
		server   = "server plone_instances.zeo_layer db1:8001"
		storage  = "storage plone_instances.zeo_layer 1"
		shared   = "shared plone_instances.shared_blobs yes"
		unshared = "shared plone_instances.shared_blobs no"
		blobs    = "blobs plone_blobs.blob_dir /srv/blobs"
		cache    = "cache plone_instances.shared_blobs var/blobcache"
		several  = "several plone_instances.zeo_layer yes"
		db       = "plone_instances.relstorage.db."
	)
	zeo := []string{listen, threads, server, storage, shared, blobs}
	relstorage := []string{listen, "type " + db + "type postgresql", "database " + db + "name plone", "host " + db + "host db1", "user " + db + "user zodb", "password " + db + "password $(PGPASSWORD)", shared, blobs}
	change := func(text string, pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(text, pairs[i]) {
				t.Errorf("no %q to change in %q", pairs[i], text)
			}
			text = strings.Replace(text, pairs[i], pairs[i+1], 1)
		}
		return text
	}
	const (
		conf    = "differs %s for client1, etc/zope.conf line %d %s"
		isDB    = "clients the server db1:8001, storage 1, blobs /srv/blobs"
		isRel   = "clients RelStorage postgresql plone db1, blobs /srv/blobs"
		isAlone = "clients the file RELEASE/var/Data.fs, blobs RELEASE/var/blobs"
	)
	says := func(line int, by, want, found string) string {
		return fmt.Sprintf(conf, by+": the stack says "+want, line, found)
	}
	zeoLayer := "plone_instances.zeo_layer"
	dsn := func(text string) string { return change(relStorage, "dbname='plone' user='zodb' host='db1'", text) }
	cached := func(servers string) string {
		return change(relStorage, "    shared-blob-dir true\n", "    shared-blob-dir true\n    cache-servers "+servers+"\n")
	}
	const caches = "plone_instances.relstorage.cache_servers"
	withCache := append(slices.Clone(relstorage), "caches "+caches+" 10.0.0.8:11211 10.0.0.9:11211")
	mysql := change(relStorage, "<postgresql>", "<mysql>", "</postgresql>", "</mysql>", "dsn dbname='plone' user='zodb' host='db1'", "db plone\n      host db1\n      port 3307\n      user zodb\n      passwd geheim")
	for _, test := range []struct {
		name, zope, ini string
		expected        []string
		want            []string
	}{
		{"as it should be", zeoClient, wsgiIni, zeo, []string{isDB}},
		{"nothing of the stack's", zeoClient, wsgiIni, nil, []string{isDB}},
		{"another server", change(zeoClient, "db1:8001", "127.0.0.1:8100"), wsgiIni, zeo,
			[]string{says(7, zeoLayer, "db1:8001", "says server 127.0.0.1:8100"), "clients the server 127.0.0.1:8100, storage 1, blobs /srv/blobs"}},
		{"a bare port", change(zeoClient, "db1:8001", "8100"), wsgiIni, zeo,
			[]string{says(7, zeoLayer, "db1:8001", "says server 8100"), "clients the server 127.0.0.1:8100, storage 1, blobs /srv/blobs"}},
		{"a second server", change(zeoClient, "server db1:8001", "server db1:8001\n    server db2:8001"), wsgiIni, zeo,
			[]string{says(8, zeoLayer, "db1:8001", "says server db1:8001 db2:8001"), "clients the server db1:8001 db2:8001, storage 1, blobs /srv/blobs"}},
		{"by names, in other letters", change(zeoClient, "%define HOME /srv", "%define HOME /srv\n%define AT DB1:8001", "server db1:8001", "SERVER ${at}", "<zeoclient>", "<ZEOClient>", "</zeoclient>", "</ZEOCLIENT>"), wsgiIni, zeo, []string{isDB}},
		{"from the environment", change(zeoClient, "db1:8001", "$(AT)"), wsgiIni, zeo, []string{isDB}},
		{"not in the environment", change(zeoClient, "db1:8001", "$(ELSEWHERE)"), wsgiIni, zeo,
			[]string{says(7, zeoLayer, "db1:8001", "says server $(ELSEWHERE)"), "clients the server 127.0.0.1:$(elsewhere), storage 1, blobs /srv/blobs"}},
		{"another storage", change(zeoClient, "storage 1", "storage main"), wsgiIni, zeo,
			[]string{says(8, zeoLayer, "1", "says storage main"), "clients the server db1:8001, storage main, blobs /srv/blobs"}},
		{"the storage of that name by default", change(zeoClient, "    storage 1\n", ""), wsgiIni, zeo, []string{isDB}},
		{"the line that wins", change(zeoClient, "storage 1", "blob-dir /mnt/blobs\n    storage 1"), wsgiIni, zeo,
			[]string{says(8, "plone_blobs.blob_dir", "/srv/blobs", "says blob-dir /mnt/blobs"), "clients the server db1:8001, storage 1, blobs /mnt/blobs"}},
		{"blobs not shared", change(zeoClient, "    shared-blob-dir on\n", ""), wsgiIni, zeo,
			[]string{says(4, "plone_instances.shared_blobs", "yes", "has no shared-blob-dir"), "clients the server db1:8001, storage 1"}},
		{"blobs hard-wired as a cache", change(zeoClient, "shared-blob-dir on", "shared-blob-dir no"), wsgiIni, []string{unshared, cache},
			[]string{says(5, "plone_instances.shared_blobs", "var/blobcache", "says blob-dir /srv/blobs"), "clients the server db1:8001, storage 1"}},
		{"blobs shared that are not", change(zeoClient, "$HOME/blobs", "var/blobcache"), wsgiIni, []string{unshared, cache},
			[]string{says(6, "plone_instances.shared_blobs", "no", "says shared-blob-dir on"), "clients the server db1:8001, storage 1, blobs RELEASE/var/blobcache"}},
		{"opens a file by itself", fileStorage, wsgiIni, append(zeo[:4:4], several),
			[]string{says(4, zeoLayer, "db1:8001", "opens var/Data.fs by itself"), isAlone}},
		{"a single client that may", fileStorage, wsgiIni, []string{listen}, []string{"lacks DIR/var/Data.fs", isAlone}},
		{"one of several that may not", fileStorage, wsgiIni, []string{listen, several},
			[]string{"differs " + zeoLayer + ": the app has several clients, and etc/zope.conf line 4 opens var/Data.fs by itself, as a single one may", isAlone}},
		{"a mount beside the main one", zeoClient + "<zodb_db catalog>\n  <filestorage>\n    path var/Catalog.fs\n  </filestorage>\n  mount-point /c\n</zodb_db>\n", wsgiIni, append(slices.Clone(zeo), several),
			[]string{"differs " + zeoLayer + ": the app has several clients, and etc/zope.conf line 13 opens var/Catalog.fs by itself, as a single one may",
				"clients the file RELEASE/var/Catalog.fs; the server db1:8001, storage 1, blobs /srv/blobs"}},
		{"for sessions, which last no longer", zeoClient + "<zodb_db temporary>\n  <temporarystorage>\n    name x\n  </temporarystorage>\n  mount-point /temp_folder\n</zodb_db>\n", wsgiIni, append(slices.Clone(zeo), several), []string{isDB}},
		{"no database that lasts", "<zodb_db main>\n  <demostorage/>\n  mount-point /\n</zodb_db>\n", wsgiIni, zeo[2:3],
			[]string{says(1, zeoLayer, "db1:8001", "opens no database that lasts")}},
		{"wrapped", change(zeoClient, "<zeoclient>", "<zlibstorage>\n <zeoclient>", "</zeoclient>", "</zeoclient>\n </zlibstorage>"), wsgiIni, zeo, []string{isDB}},

		{"another port", zeoClient, change(wsgiIni, "8081", "8080"), zeo,
			[]string{"differs address: the stack says 10.0.0.5:8081 for client1, etc/wsgi.ini line 3 says 10.0.0.5:8080", isDB}},
		{"every interface", zeoClient, change(wsgiIni, "10.0.0.5:8081", "*:8081"), zeo,
			[]string{"differs address: the stack says 10.0.0.5:8081 for client1, etc/wsgi.ini line 3 says *:8081", isDB}},
		{"a host and a port", zeoClient, change(wsgiIni, "fast-listen = 10.0.0.5:8081", "host = 10.0.0.5\nport = 8081"), zeo, []string{isDB}},
		{"other threads", zeoClient, change(wsgiIni, "threads = 4", "threads = 2"), zeo,
			[]string{"differs plone_instances.zserver_threads: the stack says 4 for client1, etc/wsgi.ini line 4 says threads 2", isDB}},
		{"waitress's threads", zeoClient, change(wsgiIni, "threads = 4\n", ""), zeo, []string{isDB}},
		{"ZServer", "zserver-threads 2\n<http-server>\n  address 10.0.0.5:8081\n</http-server>\n" + zeoClient, "", zeo,
			[]string{says(1, "plone_instances.zserver_threads", "4", "says zserver-threads 2"), isDB}},
		{"ZServer elsewhere", "zserver-threads 4\n<http-server>\n  address 8081\n</http-server>\n" + zeoClient, "", zeo,
			[]string{says(3, "address", "10.0.0.5:8081", "says 8081"), isDB}},

		{"RelStorage", relStorage, wsgiIni, relstorage, []string{isRel}},
		{"RelStorage by an address", dsn("postgresql://zodb@db1/plone"), wsgiIni, relstorage, []string{isRel}},
		{"RelStorage with a reference", dsn("dbname=plone user=zodb host=db1 password='$(PGPASSWORD)'"), wsgiIni, relstorage, []string{isRel}},
		{"RelStorage elsewhere", dsn("dbname=other user=zodb host=db2"), wsgiIni, relstorage,
			[]string{says(7, db+"name", "plone", "says database other"), says(7, db+"host", "db1", "says host db2"), "clients RelStorage postgresql other db2, blobs /srv/blobs"}},
		{"RelStorage without a host", dsn("dbname=plone user=zodb"), wsgiIni, relstorage,
			[]string{says(6, db+"host", "db1", "has no host"), "clients RelStorage postgresql plone, blobs /srv/blobs"}},
		{"RelStorage with a password of its own", dsn(`dbname=plone user=zodb host=db1 password='ge\'heim'`), wsgiIni, relstorage,
			[]string{says(7, db+"password", "$(PGPASSWORD)", "says password "+"another one, which is not shown"), isRel}},
		{"RelStorage that nobody can read", dsn("dbname=plone password=geheim '"), wsgiIni, relstorage[1:3],
			[]string{says(7, db+"name", "plone", "says database another one, which is not shown"), "clients RelStorage postgresql another one, which is not shown, blobs /srv/blobs"}},
		{"RelStorage by a DSN", dsn("$(PLONEC_DSN)"), wsgiIni, []string{"dsn " + db + "dsn $(PLONEC_DSN)"}, []string{"clients RelStorage postgresql $(PLONEC_DSN), blobs /srv/blobs"}},
		{"RelStorage by another DSN", dsn("host=db2 password=geheim"), wsgiIni, []string{"dsn " + db + "dsn $(PLONEC_DSN)"},
			[]string{says(7, db+"dsn", "$(PLONEC_DSN)", "says dsn host=db2"), "clients RelStorage postgresql host=db2, blobs /srv/blobs"}},
		{"RelStorage on MySQL", mysql, wsgiIni, []string{"type " + db + "type mysql", "database " + db + "name plone", "port " + db + "port 3306", "password " + db + "password $(PLONEC_DB_PASSWORD)"},
			[]string{says(9, db+"port", "3306", "says port 3307"), says(11, db+"password", "$(PLONEC_DB_PASSWORD)", "says password another one, which is not shown"),
				"clients RelStorage mysql plone db1 3307, blobs /srv/blobs"}},
		{"RelStorage of another kind", mysql, wsgiIni, relstorage[1:3], []string{says(6, db+"type", "postgresql", "says mysql"), "clients RelStorage mysql plone db1 3307, blobs /srv/blobs"}},
		{"memcached", cached("10.0.0.9:11211 10.0.0.8"), wsgiIni, withCache, []string{isRel}},
		{"memcached elsewhere", cached("127.0.0.1:11211"), wsgiIni, withCache,
			[]string{says(6, caches, "10.0.0.8:11211 10.0.0.9:11211", "says cache-servers 127.0.0.1:11211"), isRel}},
		{"memcached on one of two", cached("10.0.0.9:11211"), wsgiIni, withCache,
			[]string{says(6, caches, "10.0.0.8:11211 10.0.0.9:11211", "says cache-servers 10.0.0.9:11211"), isRel}},
		{"memcached that the project does not use", relStorage, wsgiIni, withCache, []string{isRel}},
		{"memcached of which the stack says nothing", cached("127.0.0.1:11211"), wsgiIni, relstorage, []string{isRel}},
		{"replicas in the server's place", change(relStorage, "    shared-blob-dir true\n", "    shared-blob-dir true\n    replica-conf /etc/replicas\n"), wsgiIni, relstorage,
			[]string{says(6, db+"host", "db1", "says replica-conf /etc/replicas, which counts in its place"), isRel}},
		{"an address in the name's place", dsn("dbname=plone user=zodb host=db1 hostaddr=10.0.9.9"), wsgiIni, relstorage,
			[]string{says(7, db+"host", "db1", "says host 10.0.9.9"), "clients RelStorage postgresql plone 10.0.9.9, blobs /srv/blobs"}},
		{"a socket in the server's place", change(mysql, "port 3307", "unix_socket /run/mysqld/mysqld.sock"), wsgiIni, []string{"type " + db + "type mysql", "host " + db + "host db1"},
			[]string{says(9, db+"host", "db1", "says unix_socket /run/mysqld/mysqld.sock, which counts in its place"), "clients RelStorage mysql plone db1, blobs /srv/blobs"}},
		{"a socket of this host's", change(mysql, "host db1", "host localhost", "port 3307", "unix_socket /run/mysqld/mysqld.sock"), wsgiIni, []string{"type " + db + "type mysql", "host " + db + "host localhost"},
			[]string{"clients RelStorage mysql plone localhost, blobs /srv/blobs"}},
		{"a server in RelStorage's place", zeoClient, wsgiIni, relstorage[:3], []string{says(4, db+"type", "postgresql", "opens a zeoclient"), isDB}},

		{"a section without an end", "<zodb_db main>\n", wsgiIni, zeo, []string{"differs client1: etc/zope.conf line 1 cannot be read: the section <zodb_db> has no end"}},
		{"a name that is not defined", change(zeoClient, "$HOME", "$HOUSE"), wsgiIni, zeo, []string{"differs client1: etc/zope.conf line 5 cannot be read: $HOUSE is not defined"}},
		{"included", "%include more.conf\n", wsgiIni, zeo, []string{
			"differs " + zeoLayer + ": the stack says db1:8001 for client1, etc/more.conf line 7 says server \x5b::1]:8001",
			"clients the server [::1]:8001, storage 1, blobs /srv/blobs"}},
		{"included in a circle", "%include zope.conf\n", wsgiIni, zeo, []string{"differs client1: etc/zope.conf line 1 cannot be read: files include each other"}},
		{"not there", "", wsgiIni, zeo, []string{"differs client1: etc/zope.conf cannot be read: No such file or directory"}},
		{"named by the program", "", "[server:main]\nlisten = 10.0.0.5:8081\n[app:zope]\nzope_conf = %(here)s/other.conf\n", zeo, []string{isDB}},
	} {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{"zope.conf": test.zope, "wsgi.ini": test.ini, "more.conf": change(zeoClient, "db1", "[::1]"), "other.conf": zeoClient}
		for name, text := range files {
			if text != "" {
				os.MkdirAll(dir+"/etc", 0o755)
				if err := os.WriteFile(dir+"/etc/"+name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		var expected []string
		for _, row := range test.expected {
			name := "clients "
			if row == listen {
				name = "client1 "
			}
			expected = append(expected, name+row)
		}
		got := compare(t, dir, []string{"AT=db1:8001", "PLONEC_DSN=host=secret dbname=secret password=geheim"}, []string{"client1 client bin/client1 etc/zope.conf etc/wsgi.ini"}, expected)
		text := strings.ReplaceAll(strings.Join(got, "\n"), dir, "DIR")
		if text != strings.Join(test.want, "\n") || strings.Contains(text, "heim") || strings.Contains(text, "secret") {
			t.Errorf("%s:\n%s\nwant\n%s", test.name, text, strings.Join(test.want, "\n"))
		}
	}
}

// TestCompareServer: the same of a ZEO server, whose files lie where its var leads.
func TestCompareServer(t *testing.T) {
	t.Parallel()
	expected := []string{"zeo listen address db1:8001", "zeo storage plone_zeoserver.app_name 1",
		"zeo file plone_zeoserver.filestorage_dir /data/fs/Data.fs", "zeo blobs plone_blobs.blob_dir /data/blobs"}
	for name, test := range map[string]struct{ old, new, want string }{
		"as it should be": {"", "", "server the file /data/fs/Data.fs, blobs /data/blobs"},
		"another address": {"db1:8001", "8100", "differs address: the stack says db1:8001 for zeo, zeo.conf line 2 says address 8100\nserver the file /data/fs/Data.fs, blobs /data/blobs"},
		"another file":    {"var/filestorage/", "var/old/", "differs plone_zeoserver.filestorage_dir: the stack says /data/fs/Data.fs for zeo, zeo.conf line 5 says path var/old/Data.fs\nserver the file RELEASE/var/old/Data.fs, blobs /data/blobs"},
		"other blobs":     {"var/blobstorage", "/mnt/blobs", "differs plone_blobs.blob_dir: the stack says /data/blobs for zeo, zeo.conf line 6 says blob-dir /mnt/blobs\nserver the file /data/fs/Data.fs, blobs /mnt/blobs"},
		"another name":    {"<filestorage 1>", "<filestorage main>", "differs plone_zeoserver.app_name: the stack says 1 for zeo, zeo.conf line 1 has no storage of that name, but main\nserver the file /data/fs/Data.fs, blobs /data/blobs"},
	} {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err == nil {
			err = os.WriteFile(dir+"/zeo.conf", []byte(strings.Replace(zeoConf, test.old, test.new, 1)), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		got := compare(t, dir, nil, []string{"zeo server runzeo zeo.conf"}, expected, "var/filestorage=/data/fs", "var/blobstorage=/data/blobs")
		if text := strings.Join(got, "\n"); text != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, text, test.want)
		}
	}
}

// TestReleaseAgainstTheStack: what is built is switched to only where its clients go
// where the stack says, and rolled only where it has the database of what runs.
func TestReleaseAgainstTheStack(t *testing.T) {
	t.Parallel()
	r := newReleasesHost(t, func(a *topology.App, _ string) {
		a.AllClients = 1
		a.Clients = []*topology.Client{{Threads: 4, Process: topology.Process{App: a, N: 1, Name: "client1", Unit: "plone-site-client1.service", Address: "10.0.0.5", Port: 8081}}}
	})
	// Its processes need systemd: none of them is asked for here.
	conf := r.root + "/etc/plonec/site/app.conf"
	text, _ := os.ReadFile(conf)
	r.write(conf, string(text)+"UNITS_OF_APP=() CLIENT_UNITS=()\n")
	hours := 20
	release := func(name, zope, ini string) {
		t.Helper()
		hours--
		r.release(name, "built", hours)
		dir := r.deployTo + "/releases/" + name
		r.write(dir+"/bin/client1", "#!/bin/sh\n")
		os.Chmod(dir+"/bin/client1", 0o755)
		r.write(dir+"/parts/client1/etc/zope.conf", zope)
		r.write(dir+"/parts/client1/etc/wsgi.ini", ini)
		r.write(dir+"/var/log/x", "")
		r.write(r.root+"/var/log/plonec/site-"+name+".log", "")
	}
	deploy := func(status int, name string, more ...string) string {
		t.Helper()
		return r.host(status, append(append([]string{"deploy", "--release", name, "--commit", r.commit, "--force"}, more...), "site")...)
	}
	record := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(r.root + "/var/lib/plonec/site/releases/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	moves := func(want string) {
		t.Helper()
		contains(t, r.host(0, "status", "--porcelain"), "site.storage-switch="+want+"\n")
	}

	release("20260101000000", zeoClient, wsgiIni)
	deploy(0, "20260101000000")
	contains(t, record("20260101000000"), "\nclients=the server db1:8001, storage 1, blobs /srv/blobs\n")

	// Not what the stack says: as one that could not be built.
	release("20260102000000", zeoClient, strings.Replace(wsgiIni, "threads = 4", "threads = 2", 1))
	out := deploy(1, "20260102000000", "--no-restart")
	wrong := "plone_instances.zserver_threads: the stack says 4 for client1, parts/client1/etc/wsgi.ini line 4 says threads 2"
	contains(t, out, "        "+wrong+"\n")
	contains(t, out, "plonec: release 20260102000000 of site failed: "+wrong+"; 20260101000000 stays the current one\n")
	contains(t, out, "annotate PART, in "+r.deployTo+"/releases/20260102000000\n")
	contains(t, record("20260102000000"), "state=failed\n")
	log, _ := os.ReadFile(r.root + "/var/log/plonec/site-20260102000000.log")
	contains(t, string(log), wrong+"\n")
	contains(t, r.host(0, "status"), "20260102000000")
	r.current("releases/20260101000000")

	// Another database than the one that runs, of which the stack says nothing.
	release("20260103000000", strings.Replace(zeoClient, "db1:8001", "db2:8001", 1), wsgiIni)
	for _, no := range []string{"--no-restart", "--overwrite"} {
		out = deploy(1, "20260103000000", no)
		contains(t, out, "the database of site moves: a rolling restart is not possible\n        from: the server db1:8001, storage 1, blobs /srv/blobs\n        to:   the server db2:8001, ")
	}
	contains(t, record("20260103000000"), "state=built\n")
	moves("the server db1:8001, storage 1, blobs /srv/blobs → the server db2:8001, storage 1, blobs /srv/blobs")
	r.current("releases/20260101000000")
	contains(t, deploy(0, "20260103000000", "--allow-outage"), "stopping all of site: its database moves")
	r.current("releases/20260103000000")
	moves("")
	contains(t, r.host(1, "rollback", "site"), "writes into another database than 20260103000000 does\n        20260101000000: the server db1:8001, ")
	contains(t, r.host(0, "rollback", "--allow-outage", "site"), "stopping all of site")

	// One that an earlier plonec switched to is read now.
	text, _ = os.ReadFile(r.root + "/var/lib/plonec/site/releases/20260101000000")
	r.write(r.root+"/var/lib/plonec/site/releases/20260101000000", strings.ReplaceAll(string(text), "\nclients=", "\nx="))
	release("20260104000000", strings.Replace(zeoClient, "storage 1", "storage 2", 1), wsgiIni)
	contains(t, deploy(1, "20260104000000"), "from: the server db1:8001, storage 1, blobs /srv/blobs\n")

	// A database of the only client's own.
	release("20260105000000", fileStorage, wsgiIni)
	contains(t, deploy(1, "20260105000000", "--allow-outage"), "there is no "+r.deployTo+"/releases/20260105000000/var/Data.fs, which a client of site opens by itself")
	r.current("releases/20260101000000")
	deploy(0, "20260105000000", "--allow-outage", "--new-database")
	r.current("releases/20260105000000")

	// Files that nobody can read are no reason to go on.
	release("20260106000000", "<zodb_db main>\n", wsgiIni)
	contains(t, deploy(1, "20260106000000"), "failed: client1: parts/client1/etc/zope.conf line 1 cannot be read: the section <zodb_db> has no end; ")
}
