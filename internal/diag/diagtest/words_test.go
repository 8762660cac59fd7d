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

	`[Nn]othing is made of|\bmakes? nothing of`:          "it has no effect, plonec ignores it",
	`^Once (what|ran|made|closed|chose)\b`:               "Formerly",
	`\bover an? (\w+ and an? )?(reboot|restart|apply)\b`: "across reboots, restarts, applies",
	`\bends? TLS\b`: "terminates TLS",
	`\blook(s|ed)? whether (it|the|you|another|its)\b`:         "check whether",
	`\bwants (one app|hosts|the name|the app)\b`:               "needs, asks for",
	`\b(is|was|are) (not )?believed\b|\bbelieves nobody\b`:     "is trusted",
	`\b(start|com|end|build|issu)\w* (it )?anew\b`:             "again",
	`\b(is|are|was|were|be) (never )?written over\b`:           "is overwritten",
	`\bin the place of\b`:                                      "in place of",
	`\blies? among\b|\bwhat lies (in|on|among|beside|there)\b`: "what is in, among",
	`\bcalled so\b|\bbegins? so\b`:                             "of that name, that begin with it",
	`\bsums a password\b|\bsums over secrets\b`:                "hashes",
	`, and no link\b`:                                          "not a link",
	`\bat its beginning\b`:                                     "at its start",
}

// fence finds a block of code on a page.
var fence = regexp.MustCompile("(?ms)^```.*?^```$")

// marked finds the texts of a mark of the schema: @want("…").
var marked = regexp.MustCompile(`@(?:want|type|derived|later|deprecated)\((?:because=)?("(?:[^"\\]|\\.)*")`)

// What people read has no such phrase: the literals of the program (help and messages), the
// descriptions and marks of the schema, the messages of the hosts' scripts, and the
// documentation, less comments and code.
func TestTurns(t *testing.T) {
	var found []*regexp.Regexp
	instead := map[*regexp.Regexp]string{}
	for phrase, better := range turns {
		re := regexp.MustCompile(phrase)
		found, instead[re] = append(found, re), better
	}
	judge := func(place, text string) {
		for _, re := range found {
			if at := re.FindStringIndex(text); at != nil {
				t.Errorf("%s: %q: write instead: %s", place, text[max(0, at[0]-60):min(len(text), at[1]+60)], instead[re])
			}
		}
	}
	message := regexp.MustCompile(`\b(?:fail|warn|say|step|printf|echo)\b(?: -\d+)? (.*)`)
	goFiles, scripts, descriptions, pages := 0, 0, 0, 0
	err := filepath.WalkDir("../../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2 || entry.Name() == "testdata" || entry.Name() == "e2e" || entry.Name() == "ci"):
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
		case strings.Contains(path, "/schema/") && strings.HasSuffix(path, ".cue"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			doc := "" // a description may have several lines
			for i, line := range strings.Split(string(text), "\n") {
				place := path + ":" + strconv.Itoa(i+1)
				if said, ok := strings.CutPrefix(strings.TrimSpace(line), "// "); ok {
					doc += " " + said
					continue
				}
				if doc != "" {
					descriptions++
					judge(place, strings.TrimSpace(doc))
					doc = ""
				}
				for _, m := range marked.FindAllStringSubmatch(line, -1) {
					said, _ := strconv.Unquote(m[1])
					judge(place, said)
				}
			}
		case strings.HasSuffix(path, ".md") && !strings.HasSuffix(path, "CHANGELOG.md"):
			pages++
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = fence.ReplaceAll(text, nil)
			for _, paragraph := range strings.Split(string(text), "\n\n") {
				judge(path, strings.Join(strings.Fields(paragraph), " "))
			}
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
	if err != nil || goFiles < 200 || scripts < 30 || descriptions < 200 || pages < 15 {
		t.Errorf("%d files, %d scripts, %d descriptions and %d pages were read: %v", goFiles, scripts, descriptions, pages, err)
	}
}
