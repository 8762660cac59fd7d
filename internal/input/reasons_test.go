package input

import (
	"encoding/json"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"github.com/google/go-jsonnet"
)

// failing are programs that fail, each with what is said of it; the first line of several
// where CUE has several mistakes.
var failing = map[string][][2]string{
	"jsonnet": {
		{`{a: "s3cret"} - 1`, "want number, got object"},
		{`null + "s3cret" - 1`, "want number, got string"},
		{`std.length(5)`, "the type number does not fit here"},
		{`{a: "s3cret"}.b`, "the field does not exist"},
		{`["s3cret"][5]`, "the index is out of bounds"},
		{`5["s3cret"]`, "this has neither fields nor items"},
		{`std.parseInt("s3cret")`, "the text is no whole number of base 10"},
		{`std.parseHex("s3cret")`, "the text is no whole number of base 16"},
		{`std.parseJson("s3cret")`, "the text is no JSON"},
		{`std.parseYaml("{s3cret")`, "the text is no YAML"},
		{`std.base64Decode("s3cret")`, "the text is no base64"},
		{`std.base64(5)`, "want a string or an array of bytes, got number"},
		{`"%d" % "s3cret"`, "the format wants a number, got string"},
		{`"%(s3cret)s" % {}`, "the format names a field that does not exist"},
		{`"%s %s" % ["s3cret"]`, "the format wants more values"},
		{`"%s" % ["s3cret", 2]`, "the format wants fewer values"},
		{`"%z" % "s3cret"`, "a % of the format begins no known code"},
		{`std.substr("s3cret", "a", 1)`, "the second argument cannot be of the type string"},
		{`std.substr("s3cret", -1, 1)`, "the second argument must be a whole number, not below 0"},
		{`std.map(5, ["s3cret"])`, "the first argument cannot be of the type number"},
		{`std.repeat(5, 5)`, "the first argument must be an array or a string"},
		{`std.split("s3cret", "")`, "the text to look for is empty"},
		{`std.strReplace("s3cret", "", "x")`, "the text to look for is empty"},
		{`std.char(-1)`, "no character has this number"},
		{`std.codepoint("s3cret")`, "want a string of one character"},
		{`std.decodeUTF8([500])`, "a byte is a whole number from 0 to 255"},
		{`"s3cret"[1:2:-1]`, "the step of a slice must be greater than 0"},
		{`std.minArray([])`, "the array is empty"},
		{`std.manifestYamlStream("s3cret")`, "want array, got string"},
		{`std.manifestTomlEx("s3cret", " ")`, "want object, got string"},
		{`std.extVar("s3cret")`, "an external variable is not given"},
		{`(function(x) x)()`, "an argument is missing"},
		{`(function(x) x)("s3cret", 2)`, "the function takes fewer arguments"},
		{`(function(x) x)("s3cret", x=2)`, "an argument is given twice"},
		{`(function(x) x)(y="s3cret")`, "the function has no parameter of that name"},
		{`{["s3cret" + "b"]: 1, ["s3cretb"]: 2}`, "a field is given twice"},
		{`{[5]: "s3cret"}`, "the name of a field must be a string, got number"},
		{`{a: super["s3cret"]}`, "the object extends none, so super has no fields"},
		{`{assert "s3cret" == "x", a: 1}`, "an assertion of the object does not hold"},
		{`std.assertEqual("s3cret", 1)`, "the two values of std.assertEqual are not equal"},
		{`1 / 0`, "division by zero"},
		{`1 << -1`, "a shift by fewer than 0 bits"},
		{`1e300 << 1`, "the number is too large for an operator on bits"},
		{`1e308 * 10`, "the result is no finite number"},
		{`{a: function(x) "s3cret"}`, "a function stands where a value should"},
		{`(function(x) x) == (function(x) x)`, "functions cannot be compared"},
		{`std.mod(5, {})`, "the operator % does not take number and object"},
		{`local f(x) = f(x) + "s3cret"; f(1)`, "the program calls itself too often"},
		{`error "s3cret"`, "the program failed; why is not shown, since it may hold a value"}, // its own words are said where it stands in a file

		{`s3cret`, "this name is not defined"},
		{`{a: 1, a: "s3cret"}`, "a field is given twice"},
		{`local x = 1, x = 2; x`, "a local is defined twice"},
		{`"s3cret`, "the text is not closed"},
		{`'s3cret\q'`, "a backslash begins no known escape in a text"},
		{`|||s3cret`, "a block of text is not written as Jsonnet wants it"},
		{`/* s3cret`, "the comment is not closed"},
		{`1 "s3cret"`, "the program goes on after its end"},
		{`{a "s3cret"}`, "want a colon after a field's name"},
		{`{a: "s3cret" b: 2}`, "want a comma before this"},
		{`[1}`, "want a comma before this"},
		{`(1 "s3cret"`, `want ")" here`},
		{`if 1 "s3cret"`, "want then here"},
		{`a."s3cret"`, "want a name here"},
		{`local x "s3cret"`, "want = here"},
		{`local x = 5 "s3cret"`, "want a comma or a semicolon after a local"},
		{`function "s3cret"`, "want ( here"},
		{`{a: super}`, "super is followed by a field"},
		{`if 1 then`, "the file ends too early"},
		{`{a: "s3cret" for x in [1]}`, "an object comprehension has one field, [name], which is not hidden, and no assert"},
		{`import "s3cret" + "b"`, "an import must be a plain text"},
		{`self`, "self stands outside of an object"},
		{`super.x`, "super stands outside of an object"},
		{`$`, "$ stands outside of an object"},
		{`f(a=1, "s3cret")`, "an argument without a name follows one that has a name"},
		{`1 ! "s3cret"`, "this is no binary operator"},
		{`5.x`, "this is no number"},
		{`a?"s3cret"`, "Jsonnet has no such character outside of texts"},
		{`}`, "this cannot stand here"},
	},
	"cue": {
		{`a: "s3cret" & int`, "the values do not agree: string and int"},
		{`a: "s3cret" & "x"`, "the values do not agree"},
		{`a: ["s3cret"] & ["s3cret", "x"]`, "two lists of different length"},
		{`a: int & >5 & <3`, "the bounds exclude each other"},
		{`a: "x" | "s3cret"`, "the field has no value"},
		{`a: string + "s3cret"`, "this needs a value that is not given"},
		{`a!: string`, "the field is required and has no value"},
		{`a: s3cret`, "this name is not defined"},
		{`a: [1, "s3cret"`, "want ']' here"},
		{`a: {x: "s3cret"`, "want '}' here"},
		{`a: "s3cret" +`, "want operand here"},
		{`s3cret b: 5`, "want label or ':' here"},
		{`a: """s3cret`, "want a new line after these quotes"},
		{`a: "s3cret" b: 2`, "want a comma, or a line of its own"},
		{`a: 's3cret`, "the text does not end on its line"},
		{`a: "s3cret\u00zz"`, "a backslash begins no known escape in a text"},
		{`a: 09`, "this is no number"},
		{"package 5", "CUE cannot read this"},
		{"a: \u20ac", "CUE cannot read this"},
		{`a: @s3cret`, "an attribute has its arguments in parentheses"},
		{`__a: "s3cret"`, "names that begin with __ are CUE's own"},
		{`a: 1/0`, "division by zero"},
		{`a: "s3cret" * -1`, "the number must not be below 0"},
		{`a: "s3cret" & <"a"`, "the value is out of its bound"},
		{"import \"list\"\na: [\"s3cret\"] & list.MinItems(3)", "the value does not satisfy its constraint: too few items"},
		{"import \"list\"\na: [\"s3cret\", \"s3cret\"] & list.UniqueItems()", "the value does not satisfy its constraint: equal items"},
		{"import \"struct\"\na: {s3cret: 1, b: 2} & struct.MaxFields(1)", "the value does not satisfy its constraint: too many fields"},
		{"import \"strings\"\na: \"s3cret\" & strings.MinRunes(30)", "the value does not satisfy its constraint"},
		{`a: ("s3cret" | "b") & "c"`, "none of the alternatives fits"},
		{"#A: {x: int}\na: #A & {s3cret: 1}", "the definition has no such field"},
		{`a: {x: 1}["s3cret"]`, "the field does not exist"},
		{`let x = "s3cret"`, "the name is never used"},
		{"import \"strings\"\na: \"s3cret\"", "the import is not used"},
		{`a: {b: a}`, "the value contains itself"},
		{"a: b\nb: a + 1", "the value depends on itself"},
		{"import \"strconv\"\na: strconv.Atoi(\"s3cret\")", "the call failed: invalid syntax"},
		{"import \"strings\"\na: strings.Repeat(\"s3cret\", -1)", "the call failed: negative count"},
		{"import \"time\"\na: time.ParseDuration(\"s3cret\")", "the call failed: invalid duration"},
		{"import \"encoding/json\"\na: json.Unmarshal(\"s3cret\")", "the call failed: invalid JSON"},
		{"import \"encoding/yaml\"\na: yaml.Unmarshal(\"{s3cret\")", "the call failed"},
		{"import \"regexp\"\na: regexp.Find(\"z\", \"s3cret\")", "the call failed: no match"},
		{"import \"regexp\"\na: regexp.Find(\"[s3cret\", \"x\")", "this is not a regular expression"},
		{`a: div(1, 0)`, "the call failed: division by zero"},
		{`a: "s3cret" + 1`, "the operator + does not take string and int"},
		{`a: !"s3cret"`, "the operator ! does not take string"},
		{`a: "s3cret".b`, "want list or struct, got string"},
		{`a: [for x in "s3cret" {x}]`, "want list or struct, got string"},
		{`if "s3cret" {a: 1}`, "want bool, got string"},
		{"import \"math\"\na: math.Sqrt(\"s3cret\")", "the function wants number, got string"},
		{"import \"strings\"\na: strings.Repeat(\"s3cret\")", "the call has not enough arguments"},
		{"import \"strings\"\na: strings.Foo(\"s3cret\")", "this is no function"},
		{`a: ["s3cret"][5]`, "the list has no such index"},
		{`a: "\(["s3cret"])"`, "what \\( ) holds is no text and no number, or has no value"},
		{"a: *1 | 2 | *3\nb: a + 1", "the field has no value"},
		{`a: _|_`, "the program says _|_"},
		{`(5): "s3cret"`, "the name of a field must be a string"},
		{`a: ["s3cret"] + [2]`, "lists have no operator +"},
		{`a: ["s3cret"] * 2`, "lists have no operator *"},
		{`a: error("s3cret")`, "the program failed; why is not shown, since it may hold a value"},
		{`a: "s3cret" & =~"("`, "this is not a regular expression"},
	},
}

// mistakesIn runs a program in the real library, and returns what is said of it.
func mistakesIn(language, program string) []mistake {
	if language == "jsonnet" {
		j := &jsonnetRun{answer: &answer{}, files: &childFiles{}, imports: &importer{}, vm: jsonnet.MakeVM()}
		node, err := jsonnet.SnippetToAST("x", program)
		if err == nil {
			_, err = j.vm.Evaluate(node)
		}
		if err == nil {
			return nil
		}
		j.fail(err)
		return j.answer.Mistakes
	}
	var list []mistake
	v := cuecontext.New().CompileString(program)
	err := v.Err()
	if err == nil {
		err = v.Validate(cue.Concrete(true), cue.Final())
	}
	for _, e := range errors.Errors(err) {
		list = append(list, explained(innermost(e), false))
	}
	return list
}

// Each reason of the tables is what a program gets that fails for it; no value is in it.
// Those that take several files are in TestReasonsOfImports.
func TestReasons(t *testing.T) {
	said := map[string][]string{}
	for language, programs := range failing {
		for _, p := range programs {
			list := mistakesIn(language, p[0])
			if len(list) == 0 {
				t.Errorf("%s: %s does not fail", language, p[0])
				continue
			}
			if list[0].Message != p[1] {
				t.Errorf("%s: %s: %q, want %q", language, p[0], list[0].Message, p[1])
			}
			for _, m := range list {
				said[language] = append(said[language], m.Message)
				if strings.Contains(m.Message+m.Remedy, secret) {
					t.Errorf("%s: %s: the secret is in %q", language, p[0], m.Message)
				}
			}
		}
	}
	elsewhere := []string{"^found packages", "^cannot embed files", "^import failed|^cannot find package", "^expression exceeds maximum nesting", "^failed arithmetic", "^cannot use"}
	for language, tables := range map[string][]reasons{"jsonnet": {jsonnetStatic, jsonnetRuntime}, "cue": {cueReasons}} {
		for _, table := range tables {
			for _, r := range table {
				shown := regexp.MustCompile("^" + regexp.MustCompile(`\\\$\d`).ReplaceAllString(regexp.QuoteMeta(strings.ReplaceAll(r.message, "$$", "$")), ".+") + "$")
				if !slices.ContainsFunc(said[language], shown.MatchString) && !slices.Contains(elsewhere, r.says.String()) {
					t.Errorf("%s: nothing fails with %q: %s", language, r.message, r.says)
				}
			}
		}
	}
}

// What a group of Jsonnet's patterns may hold is a finite list of words; of CUE's messages no
// value is left to be matched.
func TestReasonsShowOnlyWords(t *testing.T) {
	var walk func(r reason, re *syntax.Regexp, within bool)
	walk = func(r reason, re *syntax.Regexp, within bool) {
		switch within = within || re.Op == syntax.OpCapture; re.Op {
		case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
			if within {
				t.Errorf("%s shows whatever there is", r.says)
			}
		}
		for _, sub := range re.Sub {
			walk(r, sub, within)
		}
	}
	for _, r := range slices.Concat(jsonnetStatic, jsonnetRuntime) {
		re, err := syntax.Parse(r.says.String(), syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		walk(r, re, false)
	}
}

// ourWords are all that is said beside the words that groups match.
var ourWords = func() string {
	text := "_|_ null bool int float number string bytes func struct list array object function boolean ''[]{}(),:; then \"(\" \")\" != == <= >= && || =~ !~ label operand selector expression"
	for _, r := range slices.Concat(jsonnetStatic, jsonnetRuntime, cueReasons) {
		text += "\n" + r.message + "\n" + r.remedy + "\n" + r.says.String()
	}
	for _, m := range []mistake{unknown("", "Jsonnet cannot read this", "jsonnet"), unknown("", "CUE cannot read this", "cue eval"), unknown("", "the program failed", "jsonnet")} {
		text += "\n" + m.Message + "\n" + m.Remedy
	}
	return text
}()

// holdsNoValue has a program fail with a value in the place of the secret, which is not to be
// in what is said, unless it is one of our words.
func holdsNoValue(t *testing.T, value, language string, which uint) {
	quoted, err := json.Marshal(value)
	if err != nil || len(value) < 3 || len(value) > 200 || strings.Contains(ourWords, value) {
		return
	}
	programs := failing[language]
	program := strings.ReplaceAll(programs[which%uint(len(programs))][0], `"s3cret`, string(quoted[:len(quoted)-1]))
	for _, m := range mistakesIn(language, program) {
		if strings.Contains(m.Message+"\n"+m.Remedy, value) {
			t.Errorf("%s: %s: the value is in %q", language, program, m.Message)
		}
	}
}

// trying are values that look like what the tables know.
var trying = []string{secret, "12345678", "1.5", "Unexpected type number", "Missing argument: x", "$1$2", "%s%v", "invalid syntax", "error in call to x: no match", "{\"a\": 1}", "MTIzNA=="}

// No value is in what is said, whatever it is.
func TestReasonsHoldNoValue(t *testing.T) {
	for _, value := range trying {
		for language, programs := range failing {
			for i := range programs {
				holdsNoValue(t, value, language, uint(i))
			}
		}
	}
}

func FuzzReasonsHoldNoValue(f *testing.F) {
	for i, value := range trying {
		f.Add(value, i%2 == 0, uint(i))
	}
	f.Fuzz(func(t *testing.T, value string, cue bool, which uint) {
		holdsNoValue(t, value, map[bool]string{false: "jsonnet", true: "cue"}[cue], which)
	})
}

// What CUE says of several files.
func TestReasonsOfImports(t *testing.T) {
	for _, c := range []struct {
		files map[string]string
		names []string
		want  string
	}{
		{map[string]string{"a.cue": "package a\nx: \"s3cret\"\n", "b.cue": "package b\ny: 1\n"}, []string{"a.cue", "b.cue"}, "the files belong to different packages"},
		{map[string]string{"a.cue": "import \"example.org/none/b\"\na: b.s3cret\n"}, []string{"a.cue"}, "the import is not found or cannot be read"},
		{map[string]string{"a.cue": "@extern(embed)\npackage a\nx: _ @embed(file=\"s3cret.json\")\n", "s3cret.json": "{}"}, []string{"a.cue"}, "a stack embeds no files"},
	} {
		_, list := loadAll(t, c.files, Options{}, c.names...)
		checkList(t, list)
		if got := printed(t, list); !strings.Contains(got, c.want) {
			t.Errorf("got\n%s\nwant %s", got, c.want)
		}
	}
}
