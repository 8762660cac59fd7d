package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/terminal"
)

// In a log nothing is silent for long: commands that work on hosts tell on their output what
// they wait for, reports beside themselves, those that pass on what hosts print nothing.
func TestNoLongSilence(t *testing.T) {
	before := terminal.Again
	terminal.Again = 300 * time.Millisecond
	defer func() { terminal.Again = before }()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "SSH-2.0-slow\r\n")
			time.AfterFunc(3*time.Second, func() { c.Close() })
		}
	}()
	dir := t.TempDir()
	t.Setenv("HAPROXY_STATS_PASSWORD", "hunter2hunter2")
	stack := fmt.Sprintf(`{"plonec": {"ssh": {"user": "admin", "port": %d, "known_hosts": "known_hosts"}},
		"instances": {"web1": {"layers": ["lb", "plone_instances", "zeoserver"], "address": "10.0.0.11", "ssh_address": "127.0.0.1", "cpus": 1}},
		"plone_instances": {"app_name": "site"}, "plone_zeoserver": {"app_name": "site"}, "haproxy": {"stats_password": {"$secret": "env:HAPROXY_STATS_PASSWORD"}},
		"deploy": {"site": {"domains": ["www.example.com"], "scm": {"repository": "https://git.example.com/b.git"}}}}`, listener.Addr().(*net.TCPAddr).Port)
	for name, text := range map[string]string{"stack.json": stack, "known_hosts": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var out, said bytes.Buffer
	if code := run([]string{"build"}, &out, &said); code != 0 {
		t.Fatalf("%s%s", out.String(), said.String())
	}
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range []struct {
		args     string
		out, err bool // where it is told
	}{
		{"restart site --yes", true, false},
		{"status", false, true},
		{"plan", false, true},
		{"logs site", false, false},
		{"status --format json", false, true},
	} {
		all.Go(func() {
			var out, said bytes.Buffer
			run(append(strings.Fields(c.args), "--allow-new-hosts"), &out, &said)
			const life = "web1    connect   at work for "
			for _, of := range []struct {
				what, text string
				want       bool
			}{{"output", out.String(), c.out}, {"standard error", said.String(), c.err}} {
				if strings.Contains(of.text, life) != of.want {
					t.Errorf("%s: life on its %s: want %v, got\n%s", c.args, of.what, of.want, of.text)
				}
			}
		})
	}
}
