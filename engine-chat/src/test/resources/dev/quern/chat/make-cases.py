"""Makes cases.json: chat templates of our own and what jinja2 makes of them.

Each template uses constructs that published chat templates use; none is a published one. The
environment is the one of Hugging Face transformers: trim_blocks, lstrip_blocks, loop controls,
the generation tag, a tojson that does not escape HTML, raise_exception and strftime_now.

Run: python3 make-cases.py > cases.json   (needs jinja2 3.1)
"""

import datetime
import json
import sys

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2026, 11, 21, 9, 5, 7)


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                      sort_keys=sort_keys)


ENV = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                    extensions=[Generation, jinja2.ext.loopcontrols])
ENV.filters["tojson"] = tojson
ENV.globals["raise_exception"] = raise_exception
ENV.globals["strftime_now"] = NOW.strftime

CHAT = [
    {"role": "system", "content": " You are terse.\n"},
    {"role": "user", "content": "Hi <b>& \"you\"</b> {{ 1 + 1 }} {% if %} {# no #}"},
    {"role": "assistant", "content": "<think>\nhm\n</think>\n\nHello."},
    {"role": "user", "content": "Bye\\n\t\u00fcber \u2603"},
]
TOOLS = [{"type": "function", "function": {
    "name": "get_weather", "description": "Weather of a city; \"now\" <b>",
    "parameters": {"type": "object", "properties": {
        "city": {"type": "string", "description": "which"},
        "days": {"type": "integer", "enum": [1, 2]}}, "required": ["city"]}}}]
CALLS = [
    {"role": "user", "content": "Weather in Ulm?"},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "abc123def", "type": "function",
         "function": {"name": "get_weather", "arguments": {"city": "Ulm", "days": 2, "ok": True,
                                                          "none": None, "x": 1.5}}}]},
    {"role": "tool", "content": "rain", "tool_call_id": "abc123def"},
    {"role": "tool", "content": "sun"},
    {"role": "assistant", "content": "Rain.", "reasoning_content": "look\n"},
]

cases = []


SETS = {
    "chat": {"messages": CHAT, "tools": None, "add_generation_prompt": True, "bos_token": "<s>",
             "eos_token": "</s>"},
    "expression": {"messages": CHAT, "tools": TOOLS, "s": "  Ab c\n", "t": "a,b,,c",
                   "d": {"b": 2, "a": 1, "n": None}, "l": [3, 1, 2], "e": [], "z": 0, "f": 2.5,
                   "nested": {"x": {"y": [{"k": "v"}]}}, "u": "__x__", "yes": True, "nul": None},
}


def case(name, template, with_="chat", **variables):
    row = {"name": name, "template": template, "with": with_, "variables": variables}
    try:
        row["expected"] = ENV.from_string(template).render(**(SETS[with_] | variables))
    except Exception as e:  # any error is the expectation
        row["error"] = type(e).__name__ + ": " + str(e)
    cases.append(row)


def expr(*expressions):
    for e in expressions:
        case("expression: " + e, "[{{ " + e + " }}]", "expression")


# Python's string methods
expr("s.strip()", "s.lstrip()", "s.rstrip()", "u.strip('_')", "u.lstrip('_')", "u.rstrip('_x')",
     "t.split(',')", "t.split(',')[0]", "t.split(',')[-1]", "t.split(',', 1)", "s.split()",
     "t.rsplit(',', 1)", "t.replace(',', '.')", "t.replace(',', '.', 1)", "t.startswith('a')",
     "t.startswith(('x', 'a'))", "t.endswith('c')", "t.endswith('x')", "'aBc'.upper()",
     "'aBc'.lower()", "'hello wORLD'.title()", "'hello wORLD'.capitalize()", "t.find('b')",
     "t.find('zz')", "t.count(',')", "t.index('b')", "','.join(['a', 'b'])", "'12'.isdigit()",
     "'a1'.isalnum()", "'ab'.isalpha()", "'x'.isspace()", "'AB'.isupper()", "'ab'.islower()",
     "'a-b-c'.partition('-')", "'a-b-c'.rpartition('-')", "'abc'.removeprefix('a')",
     "'abc'.removesuffix('c')", "t.split('.')", "'a|b'.split('|')", "'$1'.replace('$1', '\\\\')",
     "'%s is %d' % ('x', 3)", "'{} and {}'.format(1, 'b')", "'a\\nb'.splitlines()", "'ab'.zfill(4)",
     "'x'.center(5)", "'x'.ljust(3) ~ '|'", "'x'.rjust(3)", "'aXb'.swapcase()", "t.rfind('c')",
     "''.strip('x')", "'a.b'.replace('.', '')", "'</think>x</think>y'.split('</think>')[-1]",
     "'ab' * 3", "'b' in t", "'zz' not in t", "t | length", "'abc'[1]", "'abc'[-1]")
# slices
expr("t[1:]", "t[:-1]", "t[::-1]", "t[-3:]", "t[1:5:2]", "l[1:]", "l[::-1]", "l[:-1]", "l[-1]",
     "l[0:2]", "l[:]", "messages[1:][0].role", "messages[::-1][0]['content']", "messages[-1].role",
     "messages[-1]['role']", "e[1:]", "l[5:]", "'abc'[5:]", "l[::2]", "l[-2:][0]", "l[9]", "'a'[4]",
     "(l + [7])[::-1][0]", "t.split(',')[::-1]", "l[-9:]", "l[2:0:-1]", "messages[:1] | length")
# dicts and lists
expr("d.items()", "d.keys() | list", "d.values() | list", "d.get('a')", "d.get('q')",
     "d.get('q', 'none')", "d['a']", "d.b", "d.q", "d['q']", "'a' in d", "'q' not in d", "d | length",
     "nested.x.y[0].k", "nested['x']['y'][0]['k']", "d.n", "l | first", "l | last", "l + [4]",
     "l | join(', ')", "[1, 'a', None, True]", "{'a': 1, 'b': [2, 'x']}", "(1, 2)", "l.index(1)",
     "l.count(3)", "2 in l", "9 not in l", "l | sort", "l | reverse | list", "l | sum", "l | max",
     "l | min", "d | dictsort", "messages | map(attribute='role') | list",
     "messages | selectattr('role', 'equalto', 'user') | list | length",
     "messages | rejectattr('role', 'equalto', 'user') | map(attribute='role') | join(',')",
     "messages | selectattr('role', 'in', ['user', 'system']) | list | length",
     "l | select('gt', 1) | list", "l | map('string') | join('-')", "[1,1,2] | unique | list",
     "d | items | list", "d | list", "e | length", "range(3) | list", "range(1, 7, 2) | list",
     "dict(a=1, b='x')", "{'a': 1}.items() | list", "[] | first", "l | batch(2) | list",
     "{'a': 1}['a']", "[['a', 1], ['b', 2]] | length", "{} | length", "{}", "[]", "()",
     "(1,)", "d.update({'z': 1})")
# numbers, truth, operators
expr("1 + 2 * 3", "7 // 2", "-7 // 2", "7 / 2", "6 / 2", "7 % 3", "-7 % 3", "2 ** 3", "f * 2", "1.0", "1.5",
     "1 == 1.0", "'1' == 1", "not true", "not e", "not z", "yes and 'x'", "e or 'default'",
     "nul or 'x'", "'' or 'x'", "'x' and ''", "0 or 0.0", "yes and not e", "true", "false", "none",
     "True", "False", "None", "1 < 2", "1 < 2 and 2 < 3", "1 < 2 < 3", "3 >= 3", "2 != 3", "'a' < 'b'",
     "(z == 0) != (z != 0)", "(1 % 2 == 0) == true", "1 if yes else 2", "1 if e else 2",
     "1 if e", "'a' ~ 1 ~ none ~ true", "'a' ~ 1.0", "'a' + 'b' + 'c'", "'a' ~ l", "-1", "1 - -1",
     "3 | string + 'x'", "'5' | int + 1", "'x' | int", "'2.5' | float", "f | int", "f | round",
     "2.567 | round(2)", "-3 | abs", "not yes or yes", "not (yes and yes)", "yes == true",
     "z is not none and z == 0", "missing or 'm'", "missing", "missing is defined", "missing == none",
     "missing | default('x')", "nul | default('x')", "nul | default('x', true)", "'' | default('x', true)",
     "missing | length", "missing ~ 'a'", "d.missing or 'x'", "d.missing is defined", "nul", "1e3",
     "1_000", "0 is none", "'%.2f' % 2.5", "'a' 'b'", "1 in [1, 2] and 'x' in 'xy'", "10 // 3 * 3",
     "1 + 1 ~ 'x'", "not 'a' in 'b'", "'a' not in 'b' and yes", "1 if yes else 2 if e else 3", "2 > 1 == true")
# tests
expr("nul is none", "nul is not none", "missing is none", "missing is not defined", "missing is undefined",
     "s is string", "l is string", "d is mapping", "l is mapping", "l is iterable", "s is iterable",
     "d is iterable", "z is iterable", "l is sequence", "s is sequence", "d is sequence", "z is number", "yes is number",
     "s is number", "yes is boolean", "z is boolean", "z is integer", "f is float", "f is integer", "yes is true", "e is true",
     "yes is false", "4 is even", "3 is odd", "4 is divisibleby 2", "4 is divisibleby(3)", "'a' is eq 'a'",
     "1 is equalto 1", "1 is ne 2", "2 is gt 1", "2 is lt(1)", "'a' is in ['a']", "'a' is not in ['a']", "'abc' is lower",
     "'ABC' is upper", "raise_exception is callable", "l is not string and l is iterable",
     "d is mapping and 'a' in d", "(s is string) and (d is mapping)", "nul is string", "messages[0].content is string",
     "missing.attribute", "nul.attribute", "nul.attribute.deep", "d.missing.deep", "missing()", "d.nosuch()", "s.nosuch()", "z is sameas 0", "yes is sameas true",
     "messages[0]['tool_calls'] is defined", "'tool_calls' in messages[0]", "messages[0].tool_calls is defined and messages[0].tool_calls",
     "nul.strip()", "none['a']")
# filters
expr("d | tojson", "tools | tojson", "tools | tojson(indent=4)", "tools | tojson(indent=2)", "s | tojson",
     "'\u00fc \u2603 </script> & \\'' | tojson", "d | tojson(sort_keys=true)", "e | tojson", "{} | tojson", "[[], {}] | tojson(indent=2)", "nul | tojson",
     "f | tojson", "1.0 | tojson", "yes | tojson", "d | tojson(separators=(',', ':'))", "d | tojson(ensure_ascii=True)",
     "'\u00fc' | tojson(ensure_ascii=True)", "'a\\tb\\\\' | tojson", "s | trim", "u | trim('_')", "'a b' | upper", "'A B' | lower", "'ab cd' | title",
     "'ab cd' | capitalize", "t | replace(',', ';')", "t | list", "t | length", "'a b c' | wordcount",
     "'line\\nnext' | indent(4)", "'line\\nnext' | indent(2, true)", "'line\\n\\nnext' | indent(width=2, first=True)", "'<b>' | escape", "'<b>' | e", "'<b>' | safe", "z | string",
     "d | string", "l | string", "s | string", "nul | string", "t | first", "t | last", "'%s-%s' | format(1, 2)",
     "'abc' | reverse", "messages | length", "messages | last | attr('role')", "d.items() | list",
     "(d | dictsort)[0][0]", "tools[0].function.parameters.properties.keys() | list | join(',')",
     "tools[0].function.parameters.properties | length", "messages | map(attribute='content') | select('string') | list | length",
     "l | nosuchfilter", "l is nosuchtest", "strftime_now('%d %b %Y')", "strftime_now('%Y-%m-%d %H:%M:%S %A %B %j %y %p %I')",
     "strftime_now('%-d')", "raise_exception('no ' ~ 'way')", "namespace(a=1, b='x').a", "'a\\'b'", "\"a'b\"", "'a\"b'",
     "'tab\\tx\\\\n'", "'\\u2603'", "'{{ not a template }}'", "'{% raw %}'", "'}}'", "'%}'", "'a' if '}' == '}' else 'b'",
     "{'a': {'b': 1}}['a']['b']", "{'a': '}}'}", "{'role': 'x', 'content': '<|' + 'im' + '|>'}.content", "1 | tojson ~ 'x'",
     "l | map('tojson') | join(', ')", "[{'a': 1}] | map(attribute='a') | first", "tools | map(attribute='function') | map(attribute='name') | list")

# syntax errors
for i, bad in enumerate(["{{ 1 + }}", "{% if %}x{% endif %}", "{% for x in %}{% endfor %}", "{% if true %}", "{% endif %}",
                         "{{ 'a }}", "{% nosuchtag %}", "{{ a b }}", "{% for x in messages %}", "{{ x", "{% set x %}", "{% if a = b %}{% endif %}",
                         "{% else %}", "{{ (1 }}", "{{ [1 }}", "{{ f(1, }}", "{% macro f(x) %}", "{# open"]):
    case("syntax error %d" % i, "line one\n" + bad)

# loops
case("loop variables", """{% for m in messages %}
{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }} {{ loop.depth }}{{ loop.cycle('a', 'b') }} {{ loop.previtem.role if not loop.first }}<{{ loop.nextitem.role if not loop.last }}
{% endfor %}""")
case("loop previtem next item defined", """{% for m in messages %}{% if loop.previtem is defined and loop.previtem.role == 'user' %}P{% endif %}{% if loop.nextitem is defined %}N{% endif %}{% if not loop.last and messages[loop.index0 + 1].role == 'user' %}U{% endif %}{% if loop.index0 > 0 and messages[loop.index0 - 1].role != 'user' %}-{% endif %}{% endfor %}""")
case("loop filter", "{% for m in messages if m.role == 'user' %}{{ loop.index }}/{{ loop.length }}{{ m.content }};{% else %}none{% endfor %}")
case("loop filter none", "{% for m in messages if m.role == 'x' %}{{ m }}{% else %}none{% endfor %}")
case("loop over items", "{% for k, v in d.items() %}{{ k }}={{ v }}{% if not loop.last %}, {% endif %}{% endfor %}", d={"b": 1, "a": [1, "x"], "c": {"k": None}})
case("loop over items filter", "{% for k, v in d|items %}{{ k }}={{ v }} {% endfor %}{% for k, v in d | dictsort %}{{ k }}={{ v }} {% endfor %}", d={"b": 1, "a": 2})
case("loop over dict", "{% for k in d %}{{ k }}:{{ d[k] }} {% endfor %}", d={"b": 1, "a": 2})
case("loop over string", "{% for c in 'abc' %}{{ c }}.{% endfor %}")
case("loop over undefined", "{% for c in missing %}{{ c }}.{% else %}empty{% endfor %}")
case("loop over none", "{% for c in none %}{{ c }}.{% else %}empty{% endfor %}")
case("loop over number", "{% for c in 5 %}{{ c }}.{% else %}empty{% endfor %}")
case("loop over nested", "{% for r in [[1, 2], [3]] %}{% set outer = loop %}{% for x in r %}{{ outer.index }}.{{ loop.index }}={{ x }} {% endfor %}{{ loop.index }};{% endfor %}")
case("loop unpack", "{% for a, b in [[1, 2], [3, 4]] %}{{ a }}-{{ b }} {% endfor %}")
case("loop unpack too few", "{% for a, b in [[1, 2], [3]] %}{{ a }}-{{ b }} {% endfor %}")
case("loop range", "{% for i in range(messages | length) %}{{ messages[i].role }} {% endfor %}{% for i in range(3, 0, -1) %}{{ i }}{% endfor %}")
case("loop break continue", "{% for m in messages %}{% if m.role == 'system' %}{% continue %}{% endif %}{% if loop.index > 3 %}{% break %}{% endif %}{{ m.role }} {% endfor %}|")
case("loop reversed with scope", "{% for m in messages[::-1] %}{% set i = (messages|length - 1) - loop.index0 %}{{ i }}{{ m.role }} {% endfor %}")
case("loop recursive", "{% for n in tree recursive %}{{ n.name }}{% if n.kids %}({{ loop(n.kids) }}){% endif %}{% endfor %}", tree=[{"name": "a", "kids": [{"name": "b"}, {"name": "c", "kids": [{"name": "d"}]}]}])
case("set in a loop stays in it", "{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = x + 1 %}{{ x }} {% endfor %}{{ x }}")
case("set in a loop does not live into the next pass", "{% for i in [1, 2, 3] %}{% if i == 1 %}{% set y = 'set' %}{% endif %}{{ y is defined }} {% endfor %}{{ y is defined }}")
case("set in if leaks", "{% if true %}{% set x = 2 %}{% endif %}{{ x }}")
case("loop variable ends with the loop", "{% for i in [1] %}{% endfor %}[{{ i }}]{% set i = 3 %}{% for i in [1] %}{{ i }}{% endfor %}{{ i }}")
case("namespace", "{% set ns = namespace(found=false, text='', n=0) %}{% for m in messages %}{% if m.role == 'user' and not ns.found %}{% set ns.found = true %}{% set ns.text = m.role ~ loop.index0 %}{% endif %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.found }} {{ ns.text }} {{ ns.n }} {{ ns.missing is defined }}")
case("namespace loop control", "{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}\n{%- for message in messages[::-1] %}\n    {%- set index = (messages|length - 1) - loop.index0 %}\n    {%- if ns.multi_step_tool and message.role == \"user\" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}\n        {%- set ns.multi_step_tool = false %}\n        {%- set ns.last_query_index = index %}\n    {%- endif %}\n{%- endfor %}\n{{ ns.last_query_index }}")
case("set block", "{% set x %}a {{ 1 + 1 }} b{% endset %}[{{ x }}]{% set y | upper %}abc{% endset %}{{ y }}")
case("set many", "{% set a, b = 1, 'x' %}{{ a }}{{ b }}{% set c = [1, 2] %}{% set d, e = c %}{{ d + e }}")
case("set conditional", "{% set x = messages[0].content if messages[0].role == 'system' else '' %}{{ x | trim }}{% set y = 1 if false %}[{{ y }}]")
case("set of a list and do", "{% set l = [] %}{% set l = l + ['a'] %}{% set l = l + ['b'] %}{{ l }}")
case("raw", "{% raw %}{{ x }} {% if %}{% endraw %}{{ 1 }}")
case("comment", "a{# {{ x }} {% if %} #}b\n{# whole line #}\nc {#- trim -#} d")
case("filter block", "{% filter upper %}abc {{ 'd' }}{% endfilter %}")
case("with", "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}[{{ a }}]")
case("if elif else", "{% for m in messages %}{% if m.role == 'system' %}S{% elif m['role'] == 'user' %}U{% elif m.role == 'tool' %}T{% else %}A{% endif %}{% endfor %}")
case("generation", "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.role }}{% endif %}{% endfor %}")
case("generation with whitespace", "a\n    {%- generation %}\n  {{ 'x' }}\n    {%- endgeneration %}\nb")

# macros
case("macro", "{% macro f(a, b='d', c=none) %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ f(1) }} {{ f(1, 2) }} {{ f('x', c=3) }} {{ f() }}")
case("macro strip", "{%- macro render(content) -%}\n  {%- if content is string -%}\n    {{- content -}}\n  {%- else -%}\n    {%- for part in content -%}\n      {%- if part.type == 'text' -%}{{- part.text -}}{%- endif -%}\n    {%- endfor -%}\n  {%- endif -%}\n{%- endmacro -%}\n[{{ render('a') }}][{{ render([{'type': 'text', 'text': 'b'}, {'type': 'image'}, {'type': 'text', 'text': 'c'}]) }}]{% set x = render('q') ~ '!' %}{{ x }}{{ render('  t ') | trim }}{{ (render('a') + 'b').upper() }}")
case("macro recursive", "{% macro f(x) %}{% if x is mapping %}{{ '{' }}{% for k, v in x.items() %}{{ k }}:{{ f(v) }},{% endfor %}}{% elif x is iterable and x is not string %}[{% for v in x %}{{ f(v) }}{% if not loop.last %},{% endif %}{% endfor %}]{% else %}{{ x }}{% endif %}{% endmacro %}{{ f({'a': [1, 'b', {'c': none}], 'd': {'e': true}}) }}")
case("macro scope", "{% set g = 'G' %}{% macro f(x) %}{{ g }}{{ x }}{% set g = 'inner' %}{{ g }}{% endmacro %}{{ f(1) }}{{ g }}{{ x }}")
case("macro loop variable not visible", "{% macro f() %}[{{ m }}]{% endmacro %}{% for m in [1] %}{{ f() }}{% endfor %}")
case("macro uses namespace", "{% set ns = namespace(n=0) %}{% macro tick() %}{% set ns.n = ns.n + 1 %}{% endmacro %}{{ tick() }}{{ tick() }}{{ ns.n }}")
case("macro unknown argument", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, b=2) }}")
case("macro too many", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}")
case("call block", "{% macro wrap(tag) %}<{{ tag }}>{{ caller() }}</{{ tag }}>{% endmacro %}{% call wrap('b') %}bold {{ 1 }}{% endcall %}")
case("macro content not interpreted", "{% macro f(x) %}{{ x }}{% endmacro %}{{ f(messages[1].content) }}{% set y = f(messages[1].content) %}{{ y }}")

# white space
WS = "first\n\n  {% if true %}\n    in\n  {% endif %}\n  tail {% if true %} x {% endif %} \n{{ 'v' }}\n\n  {{ 'w' }}  \n{%- if true %}\n  a\n{%- endif -%}\n\n   b\n{{- 'c' -}}\n  d\n  {#- c -#}\n  e\n  {%+ if true %}f{% endif +%}\n  g\n"
case("whitespace", WS)
case("whitespace trailing newline", "a\n")
case("whitespace trailing newlines", "a\n\n")
case("whitespace tabs", "\t{% if true %}\n\tx\t\n\t{% endif %}\ny")
case("whitespace crlf", "a\r\n{% if true %}\r\nb\r\n{% endif %}\r\nc")
case("whitespace expression after text", "a {{- ' b ' }} c {{ ' d ' -}} e")
case("whitespace between blocks", "{% if true %}\n\n{% if true %}\nx\n\n{% endif %}\n{% endif %}\n")
case("whitespace in comments", "x\n{# a #}\ny {# b #} z\n   {# c #}\nw")
case("tight delimiters", "{{1}}{{-2-}}{%if true%}x{%endif%}{%-if true-%} y {%-endif-%}")
case("content keeps its spaces", "{% for m in messages %}\n{{ m.content }}\n{% endfor %}", messages=[{"role": "user", "content": "  a  \n"}, {"role": "user", "content": "\n\n b \t"}])
case("adjacent", "{{ 'a' }}{{ 'b' }}\n{{ 'c' }} {{ 'd' }}")
case("braces in text", "{ \"a\": {{ 1 }} } { % } # }} %} {x} <|im_start|> ${x} \\n \\{{ 2 }} \"quoted {{ 3 }}\" it's {{ 4 }}")
case("json in text", "{\"name\": <function-name>, \"arguments\": <args-json-object>}\n{{ '{\"x\": {\"y\": 1}}' }}\n")

# whole templates, in the manner of families
LLAMA = """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user is defined %}
    {%- set tools_in_user = true %}
{%- endif %}
{%- if not today is defined %}
    {%- if strftime_now is defined %}
        {%- set today = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set today = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}

{#- The system message comes first, or is empty. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system = "" %}
{%- endif %}

{{- "<|head|>system<|/head|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}
    {{- "Mode: tools\\n" }}
{%- endif %}
{%- if builtin_tools is defined %}
    {{- "Builtin: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n"}}
{%- endif %}
{{- "Today: " + today + "\\n\\n" }}
{%- if tools is not none and not tools_in_user %}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system }}
{{- "<|end|>" }}
{%- if tools_in_user and not tools is none %}
    {%- if messages | length != 0 %}
        {%- set first = messages[0]['content']|trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("No first user message to put the tools in!") }}
    {%- endif %}
    {{- '<|head|>user<|/head|>\\n\\n' -}}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
    {{- first + "<|end|>"}}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|head|>' + message['role'] + '<|/head|>\\n\\n'+ message['content'] | trim + '<|end|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("One call at a time.") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {%- if builtin_tools is defined and tool_call.name in builtin_tools %}
            {{- '<|head|>assistant<|/head|>\\n\\n' -}}
            {{- "<|py|>" + tool_call.name + ".call(" }}
            {%- for arg_name, arg_val in tool_call.arguments | items %}
                {{- arg_name + '="' + arg_val + '"' }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- endif %}
                {%- endfor %}
            {{- ")" }}
        {%- else  %}
            {{- '<|head|>assistant<|/head|>\\n\\n' -}}
            {{- '{"name": "' + tool_call.name + '", ' }}
            {{- '"parameters": ' }}
            {{- tool_call.arguments | tojson }}
            {{- "}" }}
        {%- endif %}
        {%- if builtin_tools is defined %}
            {{- "<|eom|>" }}
        {%- else %}
            {{- "<|end|>" }}
        {%- endif %}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|head|>ipython<|/head|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|end|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|head|>assistant<|/head|>\\n\\n' }}
{%- endif %}
"""
case("llama manner", LLAMA)
case("llama manner, no prompt, no system", LLAMA, messages=CHAT[1:], add_generation_prompt=False, today="1 May 2025")
case("llama manner, tools", LLAMA, messages=CALLS, tools=TOOLS)
case("llama manner, tools in the system message", LLAMA, messages=CALLS, tools=TOOLS, tools_in_user=False)
case("llama manner, builtin", LLAMA, messages=[CALLS[0], {"role": "assistant", "tool_calls": [{"function": {"name": "search", "arguments": {"query": "x", "lang": "de"}}}]}], builtin_tools=["search", "code_interpreter"])
case("llama manner, no messages", LLAMA, messages=[{"role": "system", "content": "x"}], tools=TOOLS)
case("llama manner, two calls", LLAMA, messages=[CALLS[0], {"role": "assistant", "tool_calls": [1, 2]}])

QWEN25 = """{%- if tools %}
    {{- '<|s|>system\\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'You are a mill.' }}
    {%- endif %}
    {{- "\\n\\n# Tools\\n\\nCall them so:\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n<tool_call>\\n{\\"name\\": <name>, \\"arguments\\": <object>}\\n</tool_call><|e|>\\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|s|>system\\n' + messages[0]['content'] + '<|e|>\\n' }}
    {%- else %}
        {{- '<|s|>system\\nYou are a mill.<|e|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|s|>' + message.role + '\\n' + message.content + '<|e|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|s|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|e|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|s|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|e|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|s|>assistant\\n' }}
{%- endif %}
"""
case("qwen2.5 manner", QWEN25)
case("qwen2.5 manner, no system", QWEN25, messages=CHAT[1:2])
case("qwen2.5 manner, tools", QWEN25, messages=CALLS, tools=TOOLS)
case("qwen2.5 manner, tools and system", QWEN25, messages=[CHAT[0]] + CALLS[:4], tools=TOOLS)

QWEN3 = """{%- set ns = namespace(searching=true, last_query=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.searching and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.searching = false %}
        {%- set ns.last_query = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|s|>' + message.role + '\\n' + content + '<|e|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|s|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- else %}
                {{- '<|s|>' + message.role + '\\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|s|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}
                    {{- '\\n' }}
                {%- endif %}
                {%- if tool_call.function %}
                    {%- set tool_call = tool_call.function %}
                {%- endif %}
                {{- '<tool_call>\\n{"name": "' }}
                {{- tool_call.name }}
                {{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}
                    {{- tool_call.arguments }}
                {%- else %}
                    {{- tool_call.arguments | tojson }}
                {%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|e|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|s|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|e|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|s|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""
case("qwen3 manner", QWEN3)
case("qwen3 manner, no thinking", QWEN3, enable_thinking=False)
case("qwen3 manner, thinking", QWEN3, enable_thinking=True)
case("qwen3 manner, tools", QWEN3, messages=CALLS, tools=TOOLS)
case("qwen3 manner, string arguments", QWEN3, messages=[CALLS[0], {"role": "assistant", "content": "x", "tool_calls": [{"name": "f", "arguments": "{}"}, {"name": "g", "arguments": "{}"}]}])

GEMMA = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '</turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<turn>model\\n'}}
{%- endif -%}
"""
case("gemma manner", GEMMA)
case("gemma manner, parts", GEMMA, messages=[{"role": "system", "content": [{"type": "text", "text": "S"}]}, {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " hi "}]}])
case("gemma manner, no alternation", GEMMA, messages=CHAT[1:2] * 2)
case("gemma manner, bad content", GEMMA, messages=[{"role": "user", "content": 5}])
case("gemma2 manner", "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<t>' + role + '\n' + message['content'] | trim + '</t>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<t>model\n'}}{% endif %}", messages=CHAT[1:])
case("gemma2 manner, system refused", "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}")

MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}

{#- Alternation, without counting the messages of tools -#}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("roles must alternate") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- else %}
                    {{- "]" }}
                {%- endif %}
            {%- endfor %}
            {{- "[/TOOLS]" }}
            {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("ids have length 9!") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}
                {{- ", " }}
            {%- else %}
                {{- "]" + eos_token }}
            {%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- elif message["role"] == "tool_results" or message["role"] == "tool" %}
        {%- if message.content is defined and message.content.content is defined %}
            {%- set content = message.content.content %}
        {%- else %}
            {%- set content = message.content %}
        {%- endif %}
        {{- '[RESULTS] {"content": ' + content|string + ", " }}
        {%- if not message.tool_call_id is defined or message.tool_call_id|length != 9 %}
            {{- raise_exception("call ids have length 9!") }}
        {%- endif %}
        {{- '"call_id": "' + message.tool_call_id + '"}[/RESULTS]' }}
    {%- else %}
        {{- raise_exception("only user and assistant roles, not " + message.role) }}
    {%- endif %}
{%- endfor %}
"""
case("mistral manner", MISTRAL)
case("mistral manner, tools", MISTRAL, messages=CALLS[:3] + CALLS[4:], tools=TOOLS)
case("mistral manner, bad id", MISTRAL, messages=CALLS, tools=TOOLS)
case("mistral manner, bad role", MISTRAL, messages=CHAT[1:3] + [{"role": "x", "content": "y"}])
case("mistral old manner", "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate!') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}{{ raise_exception('Only user and assistant!') }}{% endif %}{% endfor %}", messages=CHAT[1:])
FABLE = "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
case("fable", FABLE, messages=[{"role": "user", "content": "Tell me a story about an owl named Otto."}])
case("fable, system", FABLE)
case("phi manner", "{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}")
case("deepseek manner", "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='') %}{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system_prompt = message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<|User|>' + message['content']}}{%- endif %}{%- if message['role'] == 'assistant' and message['content'] is not none %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<|Assistant|>' + content + '<|eos|>'}}{%- endif %}{%- endfor -%}{% if add_generation_prompt and not ns.is_tool %}{{'<|Assistant|>'}}{% endif %}")
HARMONY = """{%- macro type_of(spec) -%}
    {%- if spec.type == "array" -%}{{- type_of(spec['items']) + "[]" }}
    {%- elif spec.type is defined and spec.type is iterable and spec.type is not string and spec.type[0] is defined -%}{{- spec.type | join(" | ") }}
    {%- elif spec.type == "string" -%}{%- if spec.enum -%}{{- '"' + spec.enum|join('" | "') + '"' -}}{%- else -%}{{- "string" }}{%- if spec.nullable %}{{- " | null" -}}{%- endif -%}{%- endif -%}
    {%- elif spec.type == "integer" -%}{{- "number" }}
    {%- elif spec.type == "object" -%}{%- if spec.properties -%}{{- "{\\n" }}
        {%- for name, prop in spec.properties.items() -%}{{- name -}}{%- if name not in (spec.required or []) -%}{{- "?" }}{%- endif -%}{{- ": " }}{{ type_of(prop) }}{%- if not loop.last -%}{{- ", " }}{%- endif -%}{%- endfor -%}{{- "}" }}{%- else -%}{{- "object" }}{%- endif -%}
    {%- else -%}{{- "any" }}{%- endif -%}
{%- endmacro -%}
{%- for tool in tools %}
    {%- set tool = tool.function %}
    {{- "// " + tool.description + "\\n" }}
    {{- "type "+ tool.name + " = (_: " + type_of(tool.parameters) + ") => any;\\n" }}
{%- endfor %}
{{- {"a": ["x", 1]}["a"][0] }}
{%- set last = namespace(m=none) %}{%- for m in messages if m.role == 'assistant' %}{%- set last.m = m %}{%- endfor %}
{%- if last.m is not none and "reasoning_content" in last.m %}{{ last.m.reasoning_content.strip() }}{%- endif %}
"""
case("tool types manner", HARMONY, messages=CALLS, tools=TOOLS)
case("undefined in arithmetic", "{{ missing + 1 }}")
case("undefined attribute of undefined", "{{ missing.a.b }}")
case("undefined attribute in condition", "{% if messages[0].a.b %}x{% endif %}")
case("undefined string concatenation", "{{ 'a' + missing }}")
case("none concatenation", "{{ 'a' + none }}")
case("number concatenation", "{{ 'a' + 1 }}")
case("error on a later line", "a\nb\n{% for m in messages %}\n{{ m.content }}\n{% if m.role == 'assistant' %}\n{{ raise_exception('stop here') }}\n{% endif %}\n{% endfor %}")
case("error inside a macro", "{% macro f(x) %}{{ raise_exception('in ' ~ x) }}{% endmacro %}{{ f('macro') }}")
case("error in a condition", "{% if raise_exception('cond') %}{% endif %}")
case("error in an untaken branch", "{% if false %}{{ raise_exception('cond') }}{% endif %}ok")
case("error in an inline if", "{{ raise_exception('x') if false else 'fine' }}{{ 'a' or raise_exception('y') }}{{ false and raise_exception('z') }}")
case("output is long", "{% for i in range(3000) %}{{ i }},{% endfor %}")

case("select of nothing", "{{ none | selectattr('type', 'equalto', 'x') | list | length }}{{ missing | map('upper') | list }}{{ none | rejectattr('a') | list }}{{ '' | select | list }}")

GRANITE = """{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = "Cutoff: April 2024.\\nToday: " + strftime_now('%B %d, %Y') + "." %}
    {%- if tools and documents %}
        {%- set system_message = system_message + " Tools and documents." %}
    {%- elif tools %}
        {%- set system_message = system_message + " Tools." %}
    {%- elif thinking %}
        {%- set system_message = system_message + " Think." %}
    {%- endif %}
    {%- if 'citations' in controls and documents %}
        {%- set system_message = system_message + '\\nCite.' %}
    {%- endif %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '<|role|>system<|end|>' + system_message + '<|text|>\\n' }}
{%- if tools %}
    {{- '<|role|>tools<|end|>' }}
    {{- tools | tojson(indent=4) }}
    {{- '<|text|>\\n' }}
{%- endif %}
{%- if documents %}
    {%- for document in documents %}
        {{- '<|role|>document {"id": "' + document['doc_id'] | string + '"}<|end|>\\n' }}
        {{- document['text'] }}
        {{- '<|text|>\\n' }}
    {%- endfor %}
{%- endif %}
{%- for message in loop_messages %}
    {{- '<|role|>' + message['role'] + '<|end|>' + (message['content'] or '') + '<|text|>\\n' }}
    {%- if loop.last and add_generation_prompt %}
        {{- '<|role|>assistant' }}
        {%- if controls %}
            {{- ' ' + controls | tojson() }}
        {%- endif %}
        {{- '<|end|>' }}
    {%- endif %}
{%- endfor %}"""
case("granite manner", GRANITE)
case("granite manner, no system, tools", GRANITE, messages=[{"role": "user", "content": "Hi"}], tools=TOOLS, add_generation_prompt=True)
case("granite manner, documents", GRANITE, messages=[{"role": "user", "content": "Hi"}], documents=[{"doc_id": 1, "text": "One."}, {"doc_id": "b", "text": "Two."}], controls={"citations": True, "length": "short"}, add_generation_prompt=True)
case("granite manner, thinking", GRANITE, messages=[{"role": "user", "content": "Hi"}], thinking=True)

SMOLLM3 = """{%- if enable_thinking is not defined -%}
{%- set enable_thinking = true -%}
{%- endif -%}
{%- set mode = "/think" if enable_thinking else "/no_think" -%}
{%- set custom = namespace(text="") -%}
{%- if messages[0].role == "system" -%}
  {%- set system_message = messages[0].content -%}
  {%- if "/no_think" in system_message -%}
    {%- set mode = "/no_think" -%}
  {%- elif "/think" in system_message -%}
    {%- set mode = "/think" -%}
  {%- endif -%}
  {%- set custom.text = system_message.replace("/no_think", "").replace("/think", "").rstrip() -%}
{%- endif -%}
{{- "<|im_start|>system\\n" -}}
{%- if "/system_override" in custom.text -%}
  {{- custom.text.replace("/system_override", "").rstrip() -}}
{%- else -%}
  {{- "Today: " ~ strftime_now("%d %B %Y") ~ "\\nMode: " ~ mode ~ "\\n\\n" -}}
  {{- custom.text if custom.text else "Be helpful." -}}
  {%- if xml_tools or python_tools or tools -%}
    {%- set ns = namespace(xml="<tools>\\n") -%}
    {%- for tool in (xml_tools or tools)[:] -%}
      {%- set ns.xml = ns.xml ~ (tool | string) ~ "\\n" -%}
    {%- endfor -%}
    {{- "\\n" ~ ns.xml ~ "</tools>" -}}
  {%- endif -%}
{%- endif -%}
{{- "<|im_end|>\\n" -}}
{%- for message in messages -%}
  {%- set content = message.content if message.content is string else "" -%}
  {%- if message.role == "user" -%}
    {{ "<|im_start|>" + message.role + "\\n" + content + "<|im_end|>\\n" }}
  {%- elif message.role == "assistant" -%}
    {%- generation -%}
    {%- if mode == "/think" -%}
      {{ "<|im_start|>assistant\\n" + content.lstrip("\\n") + "<|im_end|>\\n" }}
    {%- else -%}
      {{ "<|im_start|>assistant\\n<think>\\n\\n</think>\\n" + content.lstrip("\\n") + "<|im_end|>\\n" }}
    {%- endif -%}
    {%- endgeneration -%}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ "<|im_start|>assistant\\n" ~ ("<think>\\n\\n</think>\\n" if mode == "/no_think" else "") }}
{%- endif -%}"""
case("smollm3 manner", SMOLLM3)
case("smollm3 manner, no thinking", SMOLLM3, enable_thinking=False)
case("smollm3 manner, no thinking by the system", SMOLLM3, messages=[{"role": "system", "content": "Short. /no_think"}, {"role": "user", "content": "Hi"}])
case("smollm3 manner, override", SMOLLM3, messages=[{"role": "system", "content": "Only this. /system_override"}, {"role": "user", "content": "Hi"}])
case("smollm3 manner, tools", SMOLLM3, xml_tools=[{"name": "f", "args": [1, None, True]}])

HARMONY = """{%- macro type_of(spec, required) -%}
    {%- if spec.type == "array" -%}
        {%- if spec['items'] -%}
            {{- type_of(spec['items'], required) + "[]" }}
        {%- else -%}
            {{- "any[]" }}
        {%- endif -%}
        {%- if spec.nullable -%}{{- " | null" -}}{%- endif -%}
    {%- elif spec.type is defined and spec.type is iterable and spec.type is not string and spec.type is not mapping and spec.type[0] is defined -%}
        {%- if spec.type | length > 1 -%}
            {{- spec.type | join(" | ") }}
        {%- else -%}
            {{- spec.type[0] }}
        {%- endif -%}
    {%- elif spec.oneOf -%}
        {%- for variant in spec.oneOf -%}
            {{- type_of(variant, required) -}}
            {%- if variant.description %}{{- "// " + variant.description }}{%- endif -%}
            {%- if not loop.last %}{{- " | " }}{%- endif -%}
        {%- endfor -%}
    {%- elif spec.type == "string" -%}
        {%- if spec.enum -%}
            {{- '"' + spec.enum | join('" | "') + '"' -}}
        {%- else -%}
            {{- "string" }}
        {%- endif -%}
    {%- elif spec.type in ("number", "integer") -%}
        {{- "number" }}
    {%- elif spec.type == "object" -%}
        {%- if spec.properties -%}
            {{- "{\\n" }}
            {%- for name, inner in spec.properties.items() -%}
                {{- name }}
                {%- if name not in (spec.required or []) -%}{{- "?" }}{%- endif -%}
                {{- ": " }}{{ type_of(inner, spec.required or []) }}
                {%- if not loop.last -%}{{- ", " }}{%- endif -%}
            {%- endfor -%}
            {{- "}" }}
        {%- else -%}
            {{- "object" }}
        {%- endif -%}
    {%- else -%}
        {{- "any" }}
    {%- endif -%}
{%- endmacro -%}
{%- set effort = reasoning_effort if reasoning_effort is defined else "medium" -%}
{{- "<|start|>system<|message|>Current date: " + strftime_now("%Y-%m-%d") + "\\n\\nReasoning: " + effort + "\\n\\n# Valid channels: analysis, commentary, final.<|end|>" }}
{%- if messages[0].role == "developer" or messages[0].role == "system" %}
    {%- set developer_message = messages[0].content %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set developer_message = "" %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if developer_message or tools %}
    {{- "<|start|>developer<|message|>" }}
    {%- if developer_message %}{{- "# Instructions\\n\\n" + developer_message + "\\n\\n" }}{%- endif %}
    {%- for tool in tools or [] %}
        {%- set function = tool.function or tool %}
        {{- "type " + function.name + " = (_: " + type_of(function.parameters, []) + ") => any;\\n" }}
    {%- endfor %}
    {{- "<|end|>" }}
{%- endif %}
{%- set last_call = namespace(name=none) %}
{%- for message in loop_messages -%}
    {%- if message.role == 'assistant' -%}
        {%- if "<|channel|>analysis" in (message.content or "") -%}
            {{- raise_exception("A channel tag in the content is not allowed.") }}
        {%- endif -%}
        {%- if message.tool_calls -%}
            {%- set call = message.tool_calls[0].function or message.tool_calls[0] -%}
            {%- if message.content and message.thinking -%}
                {{- raise_exception("Both content and thinking.") }}
            {%- elif message.content or message.thinking -%}
                {{- "<|start|>assistant<|channel|>analysis<|message|>" + (message.content or message.thinking) + "<|end|>" }}
            {%- endif -%}
            {{- "<|start|>assistant to=functions." + call.name + "<|channel|>commentary json<|message|>" + call.arguments | tojson + "<|call|>" }}
            {%- set last_call.name = call.name -%}
        {%- elif loop.last and not add_generation_prompt -%}
            {{- "<|start|>assistant<|channel|>final<|message|>" + message.content + "<|return|>" }}
        {%- else -%}
            {{- "<|start|>assistant<|channel|>final<|message|>" + (message.content or "") + "<|end|>" }}
            {%- set last_call.name = none -%}
        {%- endif -%}
    {%- elif message.role == 'tool' -%}
        {%- if last_call.name is none -%}
            {{- raise_exception("A tool message must follow a call.") }}
        {%- endif -%}
        {{- "<|start|>functions." + last_call.name + " to=assistant<|channel|>commentary<|message|>" + message.content | tojson + "<|end|>" }}
    {%- elif message.role == 'user' -%}
        {{- "<|start|>user<|message|>" + message.content + "<|end|>" }}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
<|start|>assistant
{%- endif -%}"""
case("gpt-oss manner", HARMONY)
case("gpt-oss manner, effort", HARMONY, reasoning_effort="high", add_generation_prompt=False)
case("gpt-oss manner, types", HARMONY, tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": "array", "items": {"type": "integer"}, "nullable": True}, "c": {"type": ["string", "null"]}, "d": {"oneOf": [{"type": "object", "properties": {"e": {"type": "boolean"}}}, {"type": "number", "description": "or so"}]}}}}}])
case("gpt-oss manner, call", HARMONY, messages=[{"role": "user", "content": "Hi"}, {"role": "assistant", "thinking": "hm", "tool_calls": [{"function": {"name": "f", "arguments": {"a": "é", "n": [1, 2.5]}}}]}, {"role": "tool", "content": "{\"x\": 1}"}])
case("gpt-oss manner, tool without call", HARMONY, messages=[{"role": "tool", "content": "x"}])

json.dump({"sets": SETS, "cases": cases}, sys.stdout, ensure_ascii=False, indent=1)
