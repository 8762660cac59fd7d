package diagtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// turns are phrases that read as translated, each with what is written instead.
var turns = map[string]string{
	`stands? above`:                           "see the error above, see its output above",
	`(was|were|is|been|be) taken back`:        "reverted",
	`\btak(e|es|en|ing) (it|the change) back`: "revert",
	`\bmend `:                            "fix",
	`that is none\b|whose \w+ is none\b`: "invalid, unknown",
	`, where a file belongs`:             ", not a file",
	`is another\b|are others\b`:          "differs, changed",
	`made anew`:                          "rebuilt",
	`without a word`:                     "without an error message",
	`wants --`:                           "takes --",
	`is given nothing`:                   "is empty",
	`is a variable of the shell empty`:   "check the shell variable",
	`\bis no (plan|commit|regular|plain|address|git|link|template|recipe)\b`: "is not a",
	`^there is no (tree|recipe|app|layer|template|command)\b`:                "the subject first: NAME does not exist",
}

// What people read has no such phrase: the literals of the program and the messages of
// the hosts' scripts, less comments.
func TestTurns(t *testing.T) {
	var found []*regexp.Regexp
	instead := map[*regexp.Regexp]string{}
	for phrase, better := range turns {
		re := regexp.MustCompile(phrase)
		found, instead[re] = append(found, re), better
	}
	judge := func(place, text string) {
		for _, re := range found {
			if re.MatchString(text) {
				t.Errorf("%s: %q: write instead: %s", place, text, instead[re])
			}
		}
	}
	message := regexp.MustCompile(`\b(?:fail|warn|say|step|printf|echo)\b(?: -\d+)? (.*)`)
	goFiles, scripts := 0, 0
	err := filepath.WalkDir("../../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2 || entry.Name() == "testdata" || entry.Name() == "e2e" || entry.Name() == "ci" || entry.Name() == "opsworks"):
			return fs.SkipDir
		case entry.IsDir():
			return nil
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			goFiles++
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, _ := strconv.Unquote(lit.Value)
					judge(fset.Position(lit.Pos()).String(), text)
				}
				return true
			})
		case strings.Contains(path, "/templates/host/") || strings.Contains(path, "/templates/") && strings.HasSuffix(path, ".sh"):
			scripts++
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for i, line := range strings.Split(string(text), "\n") {
				if m := message.FindStringSubmatch(line); m != nil && !strings.HasPrefix(strings.TrimSpace(line), "#") {
					judge(path+":"+strconv.Itoa(i+1), strings.TrimLeft(m[1], `"'`))
				}
			}
		}
		return nil
	})
	if err != nil || goFiles < 200 || scripts < 30 {
		t.Errorf("%d files and %d scripts were read: %v", goFiles, scripts, err)
	}
}
