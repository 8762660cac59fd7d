package schema

import (
	"fmt"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
)

// sentDefaults are values, as JSON, that OpsWorks or the cookbook set by default and
// that are wrong today. Nobody chose them: the JSON of a host is read without them,
// and plonec init --from-opsworks leaves them out.
var sentDefaults = []struct{ path, value, why string }{
	{"haproxy.health_check_method", `"OPTIONS"`, "OpsWorks' default; HAProxy looks at the port alone"},
	{"haproxy.health_check_method", `"HEAD"`, "the cookbook's default; HAProxy looks at the port alone"},
	{"haproxy.health_check_url", `"/"`, "OpsWorks' default; plonec asks for /ok"},
	{"haproxy.health_check_url", `"/misc_/CMFPlone/plone_icon"`, "the cookbook's default, which Plone no longer has; plonec asks for /ok"},
	{"haproxy.stats_url", `"/haproxy?stats"`, "OpsWorks' default; plonec serves it at /balancer/stats"},
	{"haproxy.global_max_connections", `"80000"`, connections},
	{"haproxy.global_max_connections", `80000`, connections},
	{"haproxy.default_max_connections", `"40000"`, connections},
	{"haproxy.default_max_connections", `40000`, connections},
	{"deploy.<app>.venv_options", `"--no-site-packages"`, "virtualenv no longer has it: it is always so"},
	{"deploy_python.venv_options", `"--no-site-packages"`, "virtualenv no longer has it: it is always so"},
	{"deploy.<app>.symlink_before_migrate", `{"config/database.yml": "config/database.yml"}`, rails},
	{"deploy.<app>.symlink_before_migrate", `{"config/opsworks.php": "opsworks.php"}`, rails},
	{"deploy.<app>.purge_before_symlink", `["log", "tmp/pids", "public/system"]`, rails},
	{"deploy.<app>.create_dirs_before_symlink", `["tmp", "public", "config"]`, rails},
}

const (
	rails       = "OpsWorks' default, for Rails and PHP"
	connections = "OpsWorks' default, with which HAProxy does not start on a small host; plonec counts the clients"
)

// SentDefault says why a value of the attribute at path is nobody's choice; empty:
// it may be one.
func SentDefault(path string, n *input.Node) string {
	for _, d := range sentDefaults {
		if d.path == path {
			if value, err := parseJSON(d.value); err == nil && input.Equal(value, n) {
				return d.why
			}
		}
	}
	return ""
}

// asSent reads the JSON of an OpsWorks host without what the service set by itself,
// and says so once. What another file says over it stays.
func asSent(tree *input.Node, list *diag.List) *input.Node {
	ops := tree.Field("opsworks")
	if ops == nil || ops.Value.Get("layers") == nil && ops.Value.Get("instance") == nil {
		return tree
	}
	var first *input.Field
	var at, why string
	left := 0
	for _, d := range sentDefaults {
		for _, path := range concrete(tree, strings.Split(d.path, ".")) {
			f := tree.Lookup(path[:len(path)-1]...).Field(path[len(path)-1])
			if f == nil || f.Span.File != ops.Span.File || SentDefault(d.path, f.Value) == "" {
				continue
			}
			if first == nil {
				first, at, why = f, showPath(path), SentDefault(d.path, f.Value)
			} else {
				left++
			}
			tree = input.Set(tree, nil, path...)
		}
	}
	if first == nil {
		return tree
	}
	switch {
	case left == 1:
		why += "; so is 1 other value"
	case left > 1:
		why += fmt.Sprintf("; so are %d other values", left)
	}
	list.Add(diag.Diagnostic{Code: "opsworks-default", Span: first.Span, Path: at,
		Message: "it is left out: " + why, Remedy: "plonec init --from-opsworks FILE writes a stack without what the service set by itself"})
	return tree
}

// concrete are the paths of a tree that a path with a placeholder stands for.
func concrete(tree *input.Node, path []string) [][]string {
	if len(path) < 2 || path[1] != "<app>" {
		return [][]string{path}
	}
	var paths [][]string
	for _, f := range fieldsOf(tree.Get(path[0])) {
		paths = append(paths, append([]string{path[0], f.Key}, path[2:]...))
	}
	return paths
}
