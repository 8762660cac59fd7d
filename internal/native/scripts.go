package native

import (
	"context"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/builder"
)

// isScript: the files that a shell reads on the host.
func isScript(name string) bool {
	return strings.HasPrefix(name, "/usr/local/lib/plonec/") ||
		strings.HasPrefix(name, "/etc/plonec/") && (strings.HasSuffix(name, ".conf") || strings.HasSuffix(name, ".env")) && builder.OfShell(path.Base(name))
}

var shebang = regexp.MustCompile(`^#!.*\b(python3?|bash|sh)\b`)

// scripts parses them; nothing is run.
func scripts(ctx context.Context, s *stage) (string, error) {
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		content := s.files[name]
		if m := shebang.FindSubmatch(content); m != nil && strings.HasPrefix(string(m[1]), "python") {
			continue
		}
		place, err := s.write(name, content, 0o644)
		if err != nil {
			return "", err
		}
		if out, err := command(ctx, nil, "bash", "-n", place); err != nil {
			return out, err
		}
	}
	return "", nil
}
