package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// blocks are the blocks of commands and files of a document.
var blocks = regexp.MustCompile("(?ms)^```(sh|sh hosts|json)\n(.*?)^```")

// tutorialHosts is bare hosts, and a git server that they ask by https.
func tutorialHosts(t *testing.T) *cluster {
	c := &cluster{t: t, name: clusterOf(t.Name()), dir: filepath.Join(work, clusterOf(t.Name())), hosts: []string{"lb1", "app1", "app2", "db1"}}
	t.Cleanup(func() {
		for _, h := range append([]string{"git"}, c.hosts...) {
			exec.Command(top+"/testdata/hosts", "forget", run, h).Run()
		}
	})
	c.start(append(c.hosts, "git")...)
	c.gitOverHTTPS()
	return c
}

// tutorial does what docs/tutorial.md says, word for word, but for the hosts'
// addresses: in an empty directory, with a buildout that hosts fetch by https.
// What its blocks of "text" show is cmd/plonec's to test.
func tutorial(c *trial) {
	t := c.t
	text, err := os.ReadFile(top + "/docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	document := strings.NewReplacer(
		"10.0.0.11", addresses["lb1"], "10.0.1.11", addresses["app1"], "10.0.1.12", addresses["app2"], "10.0.2.11", addresses["db1"],
	).Replace(string(text))
	bin := c.reader()

	state := filepath.Join(bin, "state") // where the shell is, from one block to the next
	if err := os.WriteFile(state, []byte("cd '"+c.dir+"'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	shell := func(script string) *exec.Cmd {
		cmd := exec.Command("bash", "-c", "set -euo pipefail; . '"+state+"'\n"+script+"\n{ echo \"cd '$PWD'\"; declare -px STATS_PASSWORD 2>/dev/null || true; } > '"+state+"'")
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "PLONEC="+top, "GIT_CONFIG_GLOBAL="+bin+"/gitconfig", "GIT_CONFIG_NOSYSTEM=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		return cmd
	}
	current := func() string { return c.exec("app1", "readlink /srv/www/site/current") }

	// What has to be so after some of the commands.
	var before string
	after := map[string]func(){
		"plonec deploy --new-database": func() { c.up(2) },
		"plonec deploy --yes": func() {
			if before != "" && current() == before {
				t.Error("a deploy made no new release")
			}
		},
		"plonec rollback": func() {
			if current() != before {
				t.Errorf("after the rollback current is %s, not %s", current(), before)
			}
		},
	}
	ran := 0
	for _, m := range blocks.FindAllStringSubmatch(document, -1) {
		kind, block := m[1], m[2]
		if kind == "json" {
			block = "cat > stack.json <<'END'\n" + block + "END"
		}
		if strings.HasPrefix(block, "ssh -N") { // a tunnel: the browser's part is done while it is there
			tunnel := shell(block)
			if err := tunnel.Start(); err != nil {
				t.Fatal(err)
			}
			end := func() { syscall.Kill(-tunnel.Process.Pid, syscall.SIGTERM) }
			t.Cleanup(end)
			c.makeSite("http://localhost:8081")
			end()
			tunnel.Wait()
			c.visit()
			continue
		}
		if strings.HasPrefix(block, "cd ../buildout") {
			before = current()
		}
		began := time.Now()
		out, err := shell(block).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, block, out)
		}
		if kind != "sh hosts" {
			continue
		}
		ran++
		t.Logf("%s (%.0f s)", strings.TrimSpace(block), time.Since(began).Seconds())
		for command, check := range after {
			if strings.Contains(block, command) {
				check()
			}
		}
	}
	if ran < 8 {
		t.Errorf("only %d blocks for hosts ran", ran)
	}
	c.up(8)
	c.visit()
	for _, h := range c.hosts {
		if out := c.exec(h, "/usr/local/lib/plonec/host status"); strings.Contains(out, "drift") {
			t.Errorf("%s: %s", h, out)
		}
	}
}

// gitOverHTTPS makes git.example.com: repositories that are read by https, of a
// CA that the hosts trust, and written by ssh.
func (c *cluster) gitOverHTTPS() {
	c.t.Helper()
	ca := c.exec("git", `apt-get install -y -q --no-install-recommends git nginx openssl >/dev/null
		mkdir -p /srv
		for r in /srv/buildout.git /srv/stack.git; do
			git init -q --bare -b main $r
			printf '#!/bin/sh\nexec git update-server-info\n' >$r/hooks/post-update
			chmod 755 $r/hooks/post-update
			chown -R admin:admin $r
		done
		cd /etc/nginx
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=git.example.com -addext subjectAltName=DNS:git.example.com -keyout key.pem -out cert.pem 2>/dev/null
		printf 'server { listen 443 ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem; root /srv; }\n' >conf.d/git.conf
		nginx -t -q && systemctl restart nginx
		cat cert.pem`)
	for _, h := range c.hosts {
		c.exec(h, `mkdir -p /usr/local/share/ca-certificates
			cat >/usr/local/share/ca-certificates/git.crt <<'END'
`+ca+`
END
			echo '`+addresses["git"]+` git.example.com' >>/etc/hosts
			! command -v update-ca-certificates >/dev/null || update-ca-certificates`)
	}
}

// reader makes the machine of whoever reads: an empty directory, plonec, git and
// an ssh that knows the key.
func (c *cluster) reader() (bin string) {
	c.t.Helper()
	bin = filepath.Join(work, "reader")
	for _, dir := range []string{bin, c.dir} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
	c.sh(bin, "cp", work+"/plonec", bin)
	for name, text := range map[string]string{
		"ssh":       "#!/bin/sh\nexec /usr/bin/ssh -F '" + c.runDir() + "/ssh_config' \"$@\"\n",
		"gitconfig": "[user]\n\tname = t\n\temail = t@example.com\n[url \"ssh://admin@git/srv/\"]\n\tpushInsteadOf = https://git.example.com/\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
	return bin
}

// up checks that so many clients are there, and all of them up.
func (c *cluster) up(clients int) {
	c.t.Helper()
	out := c.exec("lb1", "/usr/local/lib/plonec/host backends")
	if n := strings.Count(out, " UP"); n != clients || strings.Count(out+"\n", "\n") != clients {
		c.t.Errorf("the balancer has not %d clients that are up:\n%s", clients, out)
	}
}

// makeSite is what a browser sends when somebody makes a classic site there.
func (c *cluster) makeSite(url string) {
	c.t.Helper()
	c.until(time.Minute, "the tunnel", func() bool {
		answer, err := http.Get(url + "/")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	ask, err := http.NewRequest("POST", url+"/@sites", strings.NewReader(
		`{"distribution": "classic", "site_id": "Plone", "title": "The site of the tutorial", "default_language": "en", "portal_timezone": "Europe/Berlin", "setup_content": true}`))
	if err != nil {
		c.t.Fatal(err)
	}
	ask.SetBasicAuth("admin", "PASSWORD")
	ask.Header.Set("Accept", "application/json")
	ask.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	if said, _ := io.ReadAll(answer.Body); answer.StatusCode >= 300 {
		c.t.Fatalf("no site: %s\n%s", answer.Status, said)
	}
}

// visit opens the site as a visitor, through nginx, Varnish and HAProxy.
func (c *cluster) visit() {
	c.t.Helper()
	c.until(time.Minute, "the site is served", func() bool {
		ask, err := http.NewRequest("GET", fmt.Sprintf("http://%s/", addresses["lb1"]), nil)
		if err != nil {
			c.t.Fatal(err)
		}
		ask.Host = "www.example.com"
		answer, err := http.DefaultClient.Do(ask)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		page, _ := io.ReadAll(answer.Body)
		return answer.StatusCode == http.StatusOK && strings.Contains(string(page), "The site of the tutorial")
	})
}
