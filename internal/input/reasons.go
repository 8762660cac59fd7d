package input

import (
	"regexp"
	"strings"
)

// A reason is a message of Jsonnet's or CUE's, and what is said instead: their own text
// holds values. What a group of the pattern matches is said as $1, so a group lists the
// words that there may be (of CUE's text nothing else is left, see plainCUE).
type reason struct {
	says                  *regexp.Regexp
	code, message, remedy string
}

// reasons are a table of them; the first that fits counts.
type reasons []reason

func (list *reasons) add(code string, rows ...[3]string) {
	for _, row := range rows {
		pattern := strings.NewReplacer("{T}", jsonnetType, "{K}", cueKind).Replace(row[0])
		*list = append(*list, reason{regexp.MustCompile(pattern), code, row[1], row[2]})
	}
}

const (
	jsonnetType = `(array|boolean|function|null|number|object|string)`
	cueKind     = `([a-z|()_]+)`
)

// of is what is said of a text; false where the table has none.
func (list reasons) of(text string) (m mistake, known bool) {
	for _, r := range list {
		if at := r.says.FindStringSubmatchIndex(text); at != nil {
			said := r.says.ExpandString(nil, r.message, text, at)
			return mistake{Code: r.code, Message: string(said), Remedy: r.remedy}, true
		}
	}
	return mistake{}, false
}

// unknown is what is said where no table has the reason.
func unknown(code, message, program string) mistake {
	return mistake{Code: code, Message: message + "; why is not shown, since it may hold a value", Remedy: "to see it: run " + program + " on the file"}
}

// jsonnetStatic are what Jsonnet says of a program that it cannot read, jsonnetRuntime of
// one that fails.
var jsonnetStatic, jsonnetRuntime = func() (static, runtime reasons) {
	const comprehension = "an object comprehension has one field, [name], which is not hidden, and no assert"
	static.add("syntax",
		[3]string{"Unknown variable", "this name is not defined", "define it with local, or put a text in quotes"},
		[3]string{"end of file", "the file ends too early", "close what is open"},
		[3]string{"Expected a comma", "want a comma before this", "put a comma before it"},
		[3]string{"self outside", "self stands outside of an object", ""},
		[3]string{"super outside", "super stands outside of an object", ""},
		[3]string{"top-level object", "$$ stands outside of an object", ""},
		[3]string{"Duplicate local", "a local is defined twice", "rename one"},
		[3]string{"Duplicate field", "a field is given twice", "keep one of the two"},
		[3]string{"escape sequence", "a backslash begins no known escape in a text", `write \\ for a backslash`},
		[3]string{"Computed imports", "an import must be a plain text", ""},
		[3]string{"Unterminated String", "the text is not closed", "close it with the quote that it begins with"},
		[3]string{"Text block", "a block of text is not written as Jsonnet wants it", "write a new line after |||, indented lines, then ||| on a line of its own"},
		[3]string{"Multi-line comment", "the comment is not closed", "close it with */"},
		[3]string{"Did not expect", "the program goes on after its end", ""},
		[3]string{`Expected token ("[][(){};:,]"|then) but`, "want $1 here", ""},
		[3]string{"Expected token IDENTIFIER", "want a name here", ""},
		[3]string{"Expected token OPERATOR|Expected one of :", "want a colon after a field's name", ""},
		[3]string{"Expected operator =", "want = here", ""},
		[3]string{"Expected , or ;", "want a comma or a semicolon after a local", ""},
		[3]string{`Expected \(`, "want ( here", ""},
		[3]string{`Expected \. or \[`, "super is followed by a field", "write super.NAME"},
		[3]string{"Object comprehension", comprehension, ""},
		[3]string{"Not a (binary|unary) operator", "this is no $1 operator", ""},
		[3]string{"Positional argument after", "an argument without a name follows one that has a name", "name it, or put it before"},
		[3]string{"Couldn't lex number", "this is no number", ""},
		[3]string{"Could not lex the character", "Jsonnet has no such character outside of texts", "put a text in quotes"},
		[3]string{"Unexpected: ", "this cannot stand here", ""},
	)
	runtime.add("eval-limit",
		[3]string{"max stack frames exceeded|max manifest depth", "the program calls itself too often", ""},
	)
	runtime.add("bad-number",
		[3]string{`^(?i:overflow)$|^Not a number$`, "the result is no finite number", ""},
		[3]string{`^Bitwise operator argument`, "the number is too large for an operator on bits", ""},
	)
	runtime.add("eval-error",
		[3]string{"^Undefined external variable", "an external variable is not given", "give it with --ext-str NAME=TEXT"},
		[3]string{"^Missing argument", "an argument is missing", "for the function at the top of a file give it with --tla-str NAME=TEXT"},
		[3]string{"^function has no parameter", "the function has no parameter of that name", ""},
		[3]string{"^function expected .* positional", "the function takes fewer arguments", ""},
		[3]string{"^Argument .* already provided", "an argument is given twice", "keep one of the two"},
		[3]string{"^Field does not exist", "the field does not exist", ""},
		[3]string{"^Duplicate field name", "a field is given twice", "keep one of the two"},
		[3]string{"^Field name must be string, got {T}$", "the name of a field must be a string, got $1", ""},
		[3]string{"^Division by zero", "division by zero", ""},
		[3]string{"^Shift by negative", "a shift by fewer than 0 bits", ""},
		[3]string{"^Index ", "the index is out of bounds", ""},
		[3]string{"^Value non indexable", "this has neither fields nor items", ""},
		[3]string{"^got .* step must be greater|negative steps are not", "the step of a slice must be greater than 0", ""},
		[3]string{"anifest function", "a function stands where a value should", "call it, or hide the field with ::"},
		[3]string{"^Unexpected type {T}, expected {T}$", "want $2, got $1", ""},
		[3]string{"^Unexpected type {T}$", "the type $1 does not fit here", ""},
		[3]string{"^Operator % cannot be used on types {T} and {T}", "the operator % does not take $1 and $2", ""},
		[3]string{`^[\w.]+ (first|second|third) param.* (?:must|should) be .*got {T}$`, "the $1 argument cannot be of the type $2", ""},
		[3]string{`^std\.(?:repeat|member) first argument must be`, "the first argument must be an array or a string", ""},
		[3]string{`^substr (second|third) parameter should be`, "the $1 argument must be a whole number, not below 0", ""},
		[3]string{"^manifestYamlStream only takes arrays, got {T}$", "want array, got $1", ""},
		[3]string{"^TOML body must be an object. Got {T}$", "want object, got $1", ""},
		[3]string{"^base64 can only .* got {T}$", "want a string or an array of bytes, got $1", ""},
		[3]string{"is not a base (8|10|16) integer$", "the text is no whole number of base $1", ""},
		[3]string{"^failed to parse (JSON|YAML)", "the text is no $1", ""},
		[3]string{"^input string appears not to be a base64|^failed to decode", "the text is no base64", ""},
		[3]string{"^Format required number at .* got {T}$", "the format wants a number, got $1", ""},
		[3]string{"^Not enough values to format", "the format wants more values", ""},
		[3]string{"^Too many values to format", "the format wants fewer values", ""},
		[3]string{"^No such field", "the format names a field that does not exist", ""},
		[3]string{"^Truncated format code|^Unrecognised conversion type", "a % of the format begins no known code", "write %% for the sign itself"},
		[3]string{"^Codepoints must be|^Invalid unicode codepoint", "no character has this number", ""},
		[3]string{"^codepoint takes a string", "want a string of one character", ""},
		[3]string{"^Bytes must be integers", "a byte is a whole number from 0 to 255", ""},
		[3]string{"^Expected at least one element|average of an empty array", "the array is empty", ""},
		[3]string{"must not be zero length|length 1 or greater", "the text to look for is empty", ""},
		[3]string{"^Cannot test equality of functions", "functions cannot be compared", ""},
		[3]string{"^Attempt to use super", "the object extends none, so super has no fields", ""},
		[3]string{"^Object assertion failed", "an assertion of the object does not hold", ""},
		[3]string{"^Assertion failed", "the two values of std.assertEqual are not equal", ""},
	)
	return
}()

// cueReasons are what CUE says of a program, in which each value is … (see plainCUE).
var cueReasons = func() (list reasons) {
	const one, give = "keep one of the two", "give it one"
	const module = "import CUE's own packages, or those of the module (cue.mod) around the stack"
	list.add("conflict",
		[3]string{`^conflicting values.*\(mismatched types {K} and {K}\)`, "the values do not agree: $1 and $2", one},
		[3]string{"^conflicting values", "the values do not agree", one},
		[3]string{"^incompatible list lengths", "two lists of different length", one},
		[3]string{"^incompatible", "the bounds exclude each other", ""},
	)
	list.add("incomplete",
		[3]string{"^incomplete|^cannot convert incomplete", "the field has no value", give},
		[3]string{`^non-concrete|requires concrete value\)$|^invalid non-ground|^bound has fixed non-concrete|^key value of dynamic field must be concrete`, "this needs a value that is not given", give},
		[3]string{"^field is required but not present", "the field is required and has no value", give},
	)
	list.add("syntax",
		[3]string{"^reference … not found", "this name is not defined", "define it, or put a text in double quotes"},
		[3]string{"^expected (operand|selector|expression|'[][(){}:,]'|label or ':'),? ?", "want $1 here", ""},
		[3]string{"^expected newline after multiline quote", "want a new line after these quotes", ""},
		[3]string{"^expected", "CUE cannot read this", ""},
		[3]string{"^missing ','", "want a comma, or a line of its own", ""},
		[3]string{"^string literal not terminated", "the text does not end on its line", `close it with "`},
		[3]string{"^illegal .* in escape sequence|^escape sequence", "a backslash begins no known escape in a text", `write \\ for a backslash`},
		[3]string{"^illegal .*number", "this is no number", "put a text in double quotes"},
		[3]string{"^illegal", "CUE cannot read this", ""},
		[3]string{"^invalid attribute", "an attribute has its arguments in parentheses", "put a text in double quotes"},
		[3]string{"^identifiers starting with", "names that begin with __ are CUE's own", "rename it"},
	)
	list.add("eval-error", [3]string{"^failed arithmetic: division by zero", "division by zero", ""})
	list.add("bad-number",
		[3]string{"^failed arithmetic", "the result is no finite number", ""},
		[3]string{"^cannot convert negative number", "the number must not be below 0", ""},
	)
	list.add("too-large",
		[3]string{"^expression exceeds maximum nesting", "the expression is too deep", ""},
	)
	list.add("eval-error",
		[3]string{"^invalid value … (type|\\(out of bound)", "the value is out of its bound", ""},
		[3]string{"^invalid value .*: (too few|too many|equal) (items|fields)$", "the value does not satisfy its constraint: $1 $2", ""},
		[3]string{"^invalid value", "the value does not satisfy its constraint", ""},
		[3]string{"^unresolved disjunction", "more than one alternative is left", "mark the default with *"},
		[3]string{"empty disjunction", "none of the alternatives fits", ""},
		[3]string{"^field not allowed", "the definition has no such field", ""},
		[3]string{"^undefined field|^field not found", "the field does not exist", ""},
		[3]string{"^unreferenced alias or let", "the name is never used", "take it away"},
		[3]string{"^imported and not used", "the import is not used", "take it away"},
		[3]string{"^structural cycle", "the value contains itself", ""},
		[3]string{"^cycle|^cyclic", "the value depends on itself", ""},
		[3]string{"^error in call to .*: (division by zero|negative count|slice bounds out of range|invalid syntax|value out of range|no match|invalid duration|invalid JSON|illegal base64 data|empty list)$", "the call failed: $1", ""},
		[3]string{"^error in call to .*: error parsing regexp$|^invalid regexp", "this is not a regular expression", ""},
		[3]string{"^error in call to", "the call failed", ""},
		[3]string{`^invalid operands … and … to '([^a-z ]+)' \(type {K} and {K}\)`, "the operator $1 does not take $2 and $3", ""},
		[3]string{`^invalid operation … \(([^a-z ]+) {K}\)`, "the operator $1 does not take $2", ""},
		[3]string{`^(?:invalid operand|cannot range over) … \(found {K},`, "want list or struct, got $1", ""},
		[3]string{`^cannot use … \(type {K}\) as type {K}`, "want $2, got $1", ""},
		[3]string{`^cannot use … \(type {K}\) as {K} in argument`, "the function wants $2, got $1", ""},
		[3]string{"^cannot use", "the argument has another type than the function wants", ""},
		[3]string{"^(not enough|too many) arguments", "the call has $1 arguments", ""},
		[3]string{"^cannot call non-function", "this is no function", ""},
		[3]string{"^index out of range|^invalid index", "the list has no such index", ""},
		[3]string{"^invalid interpolation", "what \\( ) holds is no text and no number, or has no value", ""},
		[3]string{"^explicit error", "the program says _|_", ""},
		[3]string{"^integer fields not supported", "the name of a field must be a string", "put it in double quotes"},
		[3]string{"^Addition of lists", "lists have no operator +", "use list.Concat"},
		[3]string{"^Multiplication of lists", "lists have no operator *", "use list.Repeat"},
		[3]string{"^found packages", "the files belong to different packages", "give them one package, or take the package clauses away"},
		[3]string{"^cannot embed files", "a stack embeds no files", "import a CUE package instead"},
		[3]string{"^import failed|^cannot find package", "the import is not found or cannot be read", module},
	)
	return
}()
