"""The shell twin's awk program: JSON, licenses and .env files reduced on the target.

What may hold secrets reaches it through its standard input alone, never as a word of a command
line, and only what it lets out comes back into the shell. Where the probe's own rule (Unicode's
letters and blanks, Python's printing of odd values) cannot be kept to the letter, more is withheld
or the answer is UNSUPPORTED; it never is another answer.
"""

from __future__ import annotations

REDUCER = r"""
# -- words

function ready(  i) {
  for (i = 1; i < 256; i++) byte[sprintf("%c", i)] = i
  high = sprintf("[%c-%c]", 128, 255)
  control = sprintf("[%c-%c]", 1, 31)
  special = "[\"\\\\" sprintf("%c-%c%c-%c]", 1, 31, 128, 255)
  blank = " \t\n\r\f\v" sprintf("%c-%c", 28, 31)
  stops = blank "\"\047<>"
  part = "[a-z0-9_.-]*"
  word = "(pass((w|phrase|_|[.-])" part ")?|(secret|token|api[-_]?key|(basic|digest)auth)" part ")"
  assignment = word "[\"\047]?[" blank "]*[=:][" blank "]*"
  assignment = "(--?" part word "[" blank "]+|" assignment ")[^,;" blank "]"
  secretive = "pass(w|phrase|[^a-z0-9]|$)|secret|token|api[-_]?key|basicauth|digestauth"
}

function set_of(words, found,  i, n, parts) {
  n = split(words, parts, ",")
  for (i = 1; i <= n; i++) found[parts[i]] = 1
}

function hexed(digits,  i, v) {
  for (i = 1; i <= length(digits); i++)
    v = v * 16 + index("123456789abcdef", tolower(substr(digits, i, 1)))
  return v + 0
}

# Text whose bytes are UTF-8, others as \xNN; escaped, as the inside of a JSON string.
function told(s, escaped,  i, j, k, n, v, x, y, low, top, c, o) {
  n = length(s)
  for (i = 1; i <= n; i++) {
    c = substr(s, i, 1)
    x = byte[c]
    if (x < 128) {
      o = o (escaped && c ~ special ? sprintf("\\u%04x", x) : c)
      continue
    }
    k = x < 194 || x > 244 ? 0 : x < 224 ? 1 : x < 240 ? 2 : 3
    v = x - (k == 1 ? 192 : k == 2 ? 224 : 240)
    for (j = 1; j <= k; j++) {
      y = i + j > n ? 0 : byte[substr(s, i + j, 1)]
      low = j > 1 ? 128 : x == 224 ? 160 : x == 240 ? 144 : 128
      top = j > 1 ? 191 : x == 237 ? 159 : x == 244 ? 143 : 191
      if (y < low || y > top) break
      v = v * 64 + y - 128
    }
    if (k == 0 || j <= k) {
      invalid = 1
      o = o sprintf(escaped ? "\\\\x%02x" : "\\x%02x", x)
      continue
    }
    if (!escaped) o = o substr(s, i, k + 1)
    else if (v < 65536) o = o sprintf("\\u%04x", v)
    else o = o sprintf("\\u%04x\\u%04x", 55296 + int((v - 65536) / 1024), 56320 + v % 1024)
    i += k
  }
  return o
}

function without_logins(s,  at, o, rest) {
  while (at = index(s, "://")) {
    o = o substr(s, 1, at + 2)
    s = substr(s, at + 3)
    if (match(s, "^[^" stops "/?#]*@")) s = substr(s, RLENGTH + 1)
    else if (match(s, "^[^" stops "/?#:@[]*:")) {
      rest = substr(s, RLENGTH + 1)
      if (rest !~ "^[0-9]*([/?#,\"\047" blank "]|$)" && match(rest, "^[^" stops "]*@"))
        s = substr(rest, RLENGTH + 1)
    }
  }
  return o s
}

function quoted(s) {
  if (index(s, "://")) s = without_logins(s)
  return "\"" (s ~ special ? told(s, 1) : s) "\""
}

# Lower case; also of the letters that Python takes for k, s and i.
function folded(s) {
  if (s ~ high) {
    gsub(sprintf("%c%c%c", 226, 132, 170), "k", s)
    gsub(sprintf("%c%c", 197, 191), "s", s)
    gsub(sprintf("%c[%c%c]", 196, 176, 177), "i", s)
  }
  return tolower(s)
}

function secretly(key) { return key == "content" || folded(key) ~ secretive }

function wanted(key) {
  return key in keys || key ~ /^WATCHTOWER_/ && key !~ /PASS|TOKEN|SECRET|URL|HOOK/
}

# What is assigned to a secretive name becomes ...
function assigned(s,  o, rest) {
  if (s ~ high) return folded(s) ~ secretive ? "..." : s
  while (match(tolower(s), assignment)) {
    o = o substr(s, 1, RSTART + RLENGTH - 2) "..."
    rest = substr(s, RSTART + RLENGTH - 1)
    if (!match(rest, /^"[^"]*"/) && !match(rest, /^\047[^\047]*\047/))
      match(rest, "^[^,;" blank "]+")
    s = substr(rest, RLENGTH + 1)
  }
  return o s
}

# -- JSON, as Python reads it: a tree of kind, text, key, first and after; `odd` cannot be told

function parse(s,  i, n, root, piece) {
  bad = depth = 0
  state = "value"
  root = nodes + 1
  n = split(s, pieces, "\"")
  for (i = 1; !bad; i += 2) {
    between(pieces[i])
    if (bad || i >= n) break
    piece = pieces[i + 1]
    while (match(piece, /\\+$/) && RLENGTH % 2 && i + 1 < n) {
      i++
      piece = piece "\"" pieces[i + 1]
    }
    if (i + 1 >= n) bad = 1
    else string(piece)
  }
  return !bad && state == "done" ? root : 0
}

function between(s,  token) {
  while (s != "" && !bad) {
    if (!match(s, /^([][{}:,]|[ \t\r\n]+|true|false|null|-?Infinity|NaN)/) &&
        !match(s, /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/)) {
      bad = 1
      return
    }
    token = substr(s, 1, RLENGTH)
    s = substr(s, RLENGTH + 1)
    if (token ~ /^[][{}:,]/) sign(token)
    else if (token ~ /[IN]/) bad = odd = 1
    else if (token !~ /^[ \t\r\n]/) literal(token)
  }
}

function sign(c) {
  if (c == "{" || c == "[") {
    if (!node(c, "")) return
    stack[++depth] = nodes
    state = c == "{" ? "key or end" : "value or end"
    if (depth > 90) bad = odd = 1
  } else if (c == "}" || c == "]") {
    if (!depth || kind[stack[depth]] != (c == "}" ? "{" : "[")) bad = 1
    else if (state != "next" && state !~ /end$/) bad = 1
    else {
      depth--
      state = depth ? "next" : "done"
    }
  } else if (c == ",") {
    if (state != "next") bad = 1
    else state = kind[stack[depth]] == "{" ? "key" : "value"
  } else if (state != "colon") bad = 1
  else state = "value"
}

function literal(s) {
  if (node("v", s)) state = depth ? "next" : "done"
}

function string(s) {
  s = decoded(s)
  if (bad) return
  if (state ~ /^key/) {
    member = s
    state = "colon"
  } else if (node("s", s)) state = depth ? "next" : "done"
}

function node(k, t,  p) {
  if (state !~ /^value/) {
    bad = 1
    return 0
  }
  kind[++nodes] = k
  text[nodes] = t
  if (depth) {
    p = stack[depth]
    key[nodes] = kind[p] == "{" ? member : ""
    if (p in last) after[last[p]] = nodes
    else first[p] = nodes
    last[p] = nodes
  }
  return 1
}

function decoded(s,  at, c, h, o, v, w) {
  if (s ~ control) bad = 1
  if (s ~ high) {
    invalid = 0
    told(s, 0)
    if (invalid) bad = 1
  }
  while (!bad && (at = index(s, "\\"))) {
    o = o substr(s, 1, at - 1)
    c = substr(s, at + 1, 1)
    h = substr(s, at + 2, 4)
    s = substr(s, at + (c == "u" ? 6 : 2))
    if (c != "u") {
      if (c == "" || !index("\"\\/bfnrt", c)) bad = 1
      else o = o substr("\"\\/\b\f\n\r\t", index("\"\\/bfnrt", c), 1)
      continue
    }
    if (!hexadecimal(h)) {
      bad = 1
      continue
    }
    v = hexed(h)
    w = substr(s, 1, 2) == "\\u" && hexadecimal(substr(s, 3, 4)) ? hexed(substr(s, 3, 4)) : 0
    if (v >= 55296 && v < 56320 && w >= 56320 && w < 57344) {
      v = 65536 + (v - 55296) * 1024 + w - 56320
      s = substr(s, 7)
    } else if (v == 0 || v >= 55296 && v < 57344) odd = 1
    o = o letter(v)
  }
  return o s
}

function hexadecimal(h) { return h ~ /^[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f]$/ }

function letter(v) {
  if (v < 1) return ""
  if (v < 128) return sprintf("%c", v)
  if (v < 2048) return sprintf("%c%c", 192 + int(v / 64), 128 + v % 64)
  if (v < 65536)
    return sprintf("%c%c%c", 224 + int(v / 4096), 128 + int(v / 64) % 64, 128 + v % 64)
  return sprintf("%c%c%c%c", 240 + int(v / 262144), 128 + int(v / 4096) % 64,
    128 + int(v / 64) % 64, 128 + v % 64)
}

# A member of an object, the last one of its name; 0 when there is none.
function get(n, name,  m, found) {
  for (m = n ? first[n] : 0; m; m = after[m]) if (key[m] == name) found = m
  return found + 0
}

function true(n) {
  if (!n) return 0
  if (kind[n] == "s") return text[n] != ""
  if (kind[n] == "v") return text[n] !~ /^(false|null|-?0(\.0*)?([eE].*)?)$/
  return first[n] > 0
}

# -- a stack or container: the rules of `reduced` and `picked` in the probe

function scalar(n) {
  if (kind[n] == "s") return quoted(text[n])
  if (kind[n] != "v" || text[n] ~ /[eE][-+]?[0-9]/) odd = 1
  return text[n]
}

function value(m) {
  if (kind[m] == "s" && secretly(key[m])) return "\"...\""
  return reduced(m, key[m])
}

function reduced(n, place,  environment, flag, m, o, name, this) {
  environment = tolower(place) ~ /^env(ironment)?$/
  if (kind[n] == "s") return quoted(assigned(text[n]))
  if (kind[n] == "v") return scalar(n)
  for (m = first[n]; m; m = after[m]) {
    if (kind[n] == "{" && (environment || place == "args"))
      o = o "," quoted(key[m]) ":" (wanted(key[m]) ? scalar(m) : "null")
    else if (kind[n] == "{") {
      if (key[m] !~ /^x-/) o = o "," quoted(key[m]) ":" value(m)
    } else if (environment) {
      if (kind[m] != "s") odd = 1
      name = text[m]
      sub(/=.*/, "", name)
      o = o "," quoted(wanted(name) ? text[m] : name)
    } else {
      this = kind[m] == "s" && text[m] ~ /^-[^=]*$/ && secretly(text[m])
      o = o "," (flag ? "\"...\"" : reduced(m, ""))
      flag = this
    }
  }
  return (kind[n] == "{" ? "{" : "[") substr(o, 2) (kind[n] == "{" ? "}" : "]")
}

function picked(n,  i, m, o, count, names) {
  if (kind[n] != "{") return reduced(n, "")
  if (keep == "") {
    for (m = first[n]; m; m = after[m])
      if (key[m] !~ /^x-/) o = o "," quoted(key[m]) ":" shown(m)
    return "{" substr(o, 2) "}"
  }
  count = split(keep, names, ",")
  for (i = 1; i <= count; i++) {
    m = within(n, names[i])
    if (m) o = o "," quoted(names[i]) ":" (names[i] == "Labels" ? shown(m) : value(m))
  }
  return "{" substr(o, 2) "}"
}

# A key of an object, State.Status being one further down.
function within(n, path,  i, count, parts) {
  count = split(path, parts, ".")
  for (i = 1; i <= count && n; i++) {
    if (i > 1 && tolower(key[n]) ~ /^(env|environment|args|labels)$/) odd = 1
    n = kind[n] == "{" && parts[i] !~ /^x-/ ? get(n, parts[i]) : 0
  }
  return n
}

# A member of the outermost object; of its Labels only those that were asked for.
function shown(n,  m, o) {
  if (key[n] != "Labels" || kind[n] != "{") return value(n)
  for (m = first[n]; m; m = after[m])
    if (key[m] in labelled && key[m] !~ /^x-/) o = o "," quoted(key[m]) ":" value(m)
  return "{" substr(o, 2) "}"
}

function api(  n, m, o, end, status) {
  end = substr(all, length(all) - 12)
  if (length(all) > 8388608) return failed("TOOBIG")
  if (!match(end, /\n[0-9][0-9][0-9] [0-9]+$/)) return failed("UNSUPPORTED")
  status = substr(end, RSTART + 1, 3)
  all = substr(all, 1, length(all) - RLENGTH)
  end = substr(end, RSTART + 5)
  if (end == "7") return failed("ECONNREFUSED")
  if (end == "28") return failed("TIMEOUT")
  if (end != "0") return failed(end == "52" ? "HTTP" : "UNSUPPORTED")
  set_of("DOCKER_API_VERSION,NODE_DOMAIN", keys)
  set_of(labels, labelled)
  if (status != "200") keep = "message"
  n = parse(all)
  if (!n) o = "null"
  else if (kind[n] != "[") o = picked(n)
  else {
    for (m = first[n]; m; m = after[m]) {
      if (kind[m] != "{") odd = 1
      if (!true(get(get(m, "Labels"), "sesam-audit.room"))) o = o "," picked(m)
    }
    o = "[" substr(o, 2) "]"
  }
  return odd ? failed("UNSUPPORTED") : "{\"status\":" status ",\"value\":" o "}"
}

function stack_of(  n, o) {
  set_of(wants, keys)
  n = length(all) > 4194304 ? 0 : parse(all)
  if (n) o = reduced(n, "")
  return n && !odd ? "o" o : "o!"
}

function complaints(  o, n, at, said, this, rest) {
  rest = all
  while (match(rest, /level=warning msg="([^"\\]|\\[^\n])*"|WARN\[[0-9]+\] [^\n]*/) && n++ < 50) {
    this = substr(rest, RSTART, RLENGTH)
    rest = substr(rest, RSTART + RLENGTH)
    if (!sub(/^WARN\[[0-9]+\] /, "", this)) this = substr(this, 20, length(this) - 20)
    o = o "," quoted(assigned(some(unescaped(this), 500)))
  }
  said = all
  if (!plugin && said ~ /docker --help|unknown (shorthand )?flag|not a docker command/)
    return "e[" substr(o, 2) "]\nm" quoted("docker: \047compose\047 is not a docker command")
  # Parse errors quote the line at fault, which may hold a secret: only names stay.
  rest = said
  said = ""
  while (match(rest, /(service |network |volume )?"([^"\\]|\\[^\n])*"/)) {
    this = substr(rest, RSTART, RLENGTH)
    said = said substr(rest, 1, RSTART - 1) (this ~ /^"/ ? "\"...\"" : this)
    rest = substr(rest, RSTART + RLENGTH)
  }
  said = said rest
  gsub(/unterminated quoted value [^\n]*/, "unterminated quoted value ...", said)
  said = assigned(said)
  at = length(said) - 2000
  if (said ~ high && at > 0) odd = 1
  this = quoted(at > 0 ? substr(said, at + 1) : said)
  return odd || invalid ? "e!" : "e[" substr(o, 2) "]\nm" this
}

function unescaped(s,  at, o) {
  while (match(s, /\\[^\n]/)) {
    o = o substr(s, 1, RSTART - 1) substr(s, RSTART + 1, 1)
    s = substr(s, RSTART + 2)
  }
  return o s
}

# At most so many characters.
function some(s, n) {
  if (s ~ high && length(s) > n) odd = 1
  return substr(s, 1, n)
}

# -- the config.json of a docker client

function table(n, name) {
  n = get(n, name)
  return n && kind[n] == "{" ? n : 0
}

function docker_config(  n, auths, helpers, proxies, m, o, p, count, seen) {
  sub(sprintf("^%c%c%c", 239, 187, 191), "", all)
  n = parse(all)
  if (odd) return failed("UNSUPPORTED")
  if (!n || kind[n] != "{") return "{\"json\":false}"
  auths = table(n, "auths")
  helpers = table(n, "credHelpers")
  for (m = first[auths]; m; m = after[m]) o = o registry(key[m], auths, helpers)
  for (m = first[helpers]; m; m = after[m]) o = o registry(key[m], auths, helpers)
  proxies = table(table(n, "proxies"), "default")
  for (m = first[proxies]; m; m = after[m])
    if (key[m] ~ /^(httpProxy|httpsProxy|ftpProxy|allProxy|noProxy)$/)
      p = p "," quoted(key[m]) ":" quoted(unproxied(text[m], kind[m]))
  o = "{\"json\":true,\"registries\":{" substr(o, 2) "},\"store\":" named(n, "credsStore")
  o = o ",\"context\":" named(n, "currentContext") ",\"proxies\":{" substr(p, 2) "}}"
  return odd ? failed("UNSUPPORTED") : o
}

function registry(name, auths, helpers,  helper) {
  if (name in listed || registries == 50) return ""
  registries++
  listed[name] = 1
  helper = get(helpers, name)
  if (helper && kind[helper] != "s") odd = 1
  return "," quoted(name) ":{\"auth\":" (login(get(auths, name)) ? "true" : "false") \
    ",\"helper\":" quoted(helper ? text[helper] : "") "}"
}

# Whether a user:password stands in it; Pythons differ about padding that is not exact.
function login(n) {
  n = n && kind[n] == "{" ? get(n, "auth") : 0
  if (!n || kind[n] != "s" || text[n] !~ "^[A-Za-z0-9+/]*=*$") return 0
  if (text[n] ~ /=/ && (length(text[n]) % 4 || text[n] !~ /^[^=]+==?$/)) odd = 1
  return length(text[n]) % 4 == 0 && index(unpacked(text[n]), ":")
}

function named(n, name) {
  n = get(n, name)
  if (!true(n)) return "\"\""
  if (kind[n] != "s") odd = 1
  return quoted(text[n])
}

function unproxied(s, type,  rest) {
  if (type != "s" || index(s, "\n") || s ~ high) odd = 1
  if (!match(s, /^.*@/)) return s
  rest = substr(s, RLENGTH + 1)
  return (match(s, /^[A-Za-z0-9_]+:\/\//) ? substr(s, 1, RLENGTH) : "") rest
}

# -- base64, a license

function unpacked(s,  i, n, o, v, unit, bits) {
  gsub(/=/, "", s)
  n = length(s)
  for (i = 1; i <= n; i++) {
    v = v * 64 + index(letters, substr(s, i, 1)) - 1
    bits += 6
    if (bits < 8) continue
    bits -= 8
    unit = bits == 4 ? 16 : bits == 2 ? 4 : 1
    # A zero byte becomes another that JSON forbids: not every awk can hold one.
    o = o sprintf("%c", v < unit ? 1 : int(v / unit))
    v %= unit
  }
  return o
}

# The object in a base64 text, or 0 and what is wrong.
function object(s,  n) {
  gsub("[" blank "]", "", s)
  wrong = "not-base64"
  if (s !~ "^[A-Za-z0-9+/]+=?=?$") return 0
  s = unpacked(s)
  n = parse(s)
  wrong = ""
  if (n && kind[n] == "{") return n
  wrong = "not-json"
  if (n) return 0
  gsub("^[" blank "]+|[" blank "]+$", "", s)
  if (s ~ /^\{/ && s !~ /\}$/) wrong = "truncated"
  return 0
}

function license(  o) {
  if (index(all, sprintf("%c", 2))) return failed("UNSUPPORTED")
  if (index(all, "\r")) problem("crlf")
  if (sub(sprintf("^(%c%c%c)+", 239, 187, 191), "", all)) problem("bom")
  if (all ~ high) return failed("UNSUPPORTED")
  gsub(/^[ \t\r\n]+|[ \t\r\n]+$/, "", all)
  o = all == "" ? "" : content(all)
  if (odd) return failed("UNSUPPORTED")
  return "{\"size\":" size ",\"sha256\":\"" sum "\",\"blank\":" (all == "" ? "true" : "false") \
    ",\"problems\":[" substr(problems, 2) "]" o "}"
}

function problem(name) { problems = problems ",\"" name "\"" }

function content(s,  begin, beside, joined, n, p, o, m) {
  if (index(s, "\\n")) problem("literal-newlines")
  gsub(/\\r/, "", s)
  gsub(/\\n/, "\n", s)
  gsub(/\r/, "\n", s)
  if (tolower(s) ~ /<(!doctype|html|head|body)([^a-z0-9_]|$)/) {
    problem("html")
    return ""
  }
  begin = match(s, "--+[" blank "]*BEGIN[^\n-]*SESAM[^\n-]*--+") ? RSTART + RLENGTH : 0
  if (begin) {
    beside = substr(s, 1, RSTART - 1)
    joined = substr(s, begin) !~ /^[ \t]*(\n|$)/
  } else problem("no-begin")
  if (match(s, "--+[" blank "]*END[^\n-]*SESAM[^\n-]*--+")) {
    beside = beside substr(s, RSTART + RLENGTH)
    s = substr(s, 1, RSTART - 1)
    if (s !~ /(^|\n)[ \t]*$/) joined = 1
  } else problem("no-end")
  gsub("[" blank "]", "", beside)
  if (beside != "") problem("outside")
  if (joined) problem("one-line")
  s = "\n" substr(s, begin ? begin : 1)
  gsub(/\n--[^\n]*/, "\n", s)
  n = object(s)
  if (!n) {
    problem(wrong)
    return ""
  }
  for (m = first[n]; m; m = after[m])
    if ((folded(key[m]) ~ /sign|^sig\n?$/) && true(get(n, key[m]))) p = 1
  o = ",\"signed\":" (p ? "true" : "false")
  p = get(n, "payload")
  if (!true(p)) {
    problem("no-payload")
    return o
  }
  if (kind[p] != "s" || text[p] ~ high) odd = 1
  n = object(text[p])
  if (!n) {
    problem("payload-" (wrong == "truncated" ? "not-json" : wrong))
    return o
  }
  if (stated(get(n, "_id")) == "null") problem("no-id")
  return o ",\"id\":" stated(get(n, "_id")) ",\"expires\":" stated(get(n, "expires")) \
    ",\"created\":" stated(get(n, "created"))
}

function stated(n) {
  if (!true(n)) return "null"
  if (kind[n] == "s") return quoted(some(text[n], 200))
  if (kind[n] == "v" && text[n] == "true") return "\"True\""
  return kind[n] == "v" && text[n] ~ /^-?[0-9]+$/ ? quoted(substr(text[n], 1, 200)) : "null"
}

# -- a .env as compose reads it

function env_file(  at, v, name, names, values, doubtful, s) {
  set_of(wants, asked)
  if (index(all, sprintf("%c", 2))) return failed("UNSUPPORTED")
  s = all
  if (s ~ high) {
    sub(sprintf("^%c%c%c", 239, 187, 191), "", s)
    s = told(s, 0)
  }
  gsub(/\r\n/, "\n", s)
  while (s != "") {
    if (match(s, /^[ \t]*(export[ \t]+)?[][A-Za-z0-9_.-]+[ \t]*[=:][ \t]*/)) {
      name = substr(s, 1, RLENGTH)
      s = substr(s, RLENGTH + 1)
      sub(/[ \t]*[=:][ \t]*$/, "", name)
      sub(/^[ \t]*/, "", name)
      sub(/^export[ \t]+/, "", name)
      if (!match(s, /^\047([^\047\\]|\\(.|\n))*\047/) && !match(s, /^"([^"\\]|\\(.|\n))*"/))
        match(s, /^[^\n]*/)
      v = substr(s, 1, RLENGTH)
      s = substr(s, RLENGTH + 1)
      if (name in asked) {
        doubts[name] = doubt(v)
        known[name] = plain
      } else others[name] = 1
    }
    at = index(s, "\n")
    s = at ? substr(s, at + 1) : ""
  }
  for (name in known) values = values "," quoted(name) ":" quoted(known[name])
  for (name in known) if (!doubts[name]) delete doubts[name]
  names = sorted(others)
  doubtful = sorted(doubts)
  if (odd) return failed("UNSUPPORTED")
  return "{\"values\":{" substr(values, 2) "},\"names\":[" names "],\"doubtful\":[" doubtful "]}"
}

# Sets `plain` to the value; 1 when compose may read another.
function doubt(v,  quote, at) {
  quote = substr(v, 1, 1)
  if (quote != "\"" && quote != "\047") {
    if (at = index(v, " #")) v = substr(v, 1, at - 1)
    sub("[" blank "]+$", "", v)
    if (substr(v, length(v)) ~ high) odd = 1
    plain = v
    return index(v, "$") > 0
  }
  plain = ""
  if (length(v) < 2 || substr(v, length(v)) != quote) return 1
  plain = substr(v, 2, length(v) - 2)
  return index(plain, "\n") > 0 || quote == "\"" && plain ~ /[$\\]/
}

function sorted(found,  i, n, name, list, o) {
  for (name in found) {
    for (i = ++n; i > 1 && list[i - 1] "" > name ""; i--) list[i] = list[i - 1]
    list[i] = name
  }
  for (i = 1; i <= n; i++) o = o "," quoted(list[i])
  return substr(o, 2)
}

# -- certificates

function certificates(  count, block, o, s) {
  block = "(X509 )?CERTIFICATE-----"
  block = "-----BEGIN " block "[A-Za-z0-9+/=" blank "]+-----END " block
  s = all
  while (match(s, block) && count++ < 200) {
    o = o "," quoted(substr(s, RSTART, RLENGTH))
    s = substr(s, RSTART + RLENGTH)
  }
  s = index(all, "PRIVATE KEY-----") ? "true" : "false"
  return "{\"private\":" s ",\"pems\":[" substr(o, 2) "]}"
}

# -- a walk: records of find, each ended by the mark, for names may hold line ends

function entry(s,  parts) {
  s = substr(s, 1, length(s) - length(mark) - 1)
  if (s == "new") {
    device = ""
    roots++
    return
  }
  if (s ~ /^skip /) {
    pass(substr(s, 6))
    return
  }
  split(s, parts, " ")
  if (match(s, /^entry [0-9]+ [0-9]+ [0-9]+ [0-9a-z]+ /)) s = substr(s, RLENGTH + 1)
  else odd = 1
  parts[5] = parts[5] ~ /^(d|4...)$/
  if (device != "" && parts[5] && parts[2] != device) {
    pass(s)
    return
  }
  if (device == "") device = parts[2]
  if (seen == most) {
    full = 1
    exit
  }
  seen++
  if (parts[3] == uid && parts[4] == gid) return
  if (++offenders > 20) return
  s = quoted(s)
  gsub(/ /, "\\u0020", s)
  samples = samples "s " parts[3] " " parts[4] " " substr(s, 2, length(s) - 2) "\n"
}

function pass(s) {
  if (++passes <= 50) passed = passed "," quoted(s)
}

# What find complains of; whatever is gone meanwhile is not missed.
function refusals(  i, n, o, lines, count, s) {
  n = split(all, lines, "\n")
  for (i = 1; i <= n; i++) {
    s = lines[i]
    if (s == "" || s ~ /: No such file or directory$/) continue
    if (s !~ /^find: \047?\/[^\047"\\]*\047?: [A-Z][a-z ]+(\/[a-z ]+)?$/) return "e!"
    sub(/^find: \047?/, "", s)
    sub("\047?: [A-Z][A-Za-z/ ]+$", "", s)
    if (++count <= 20) o = o "," quoted(s)
  }
  return "e[" substr(o, 2) "]"
}

# -- listening sockets, as "inode port address"

function address(s,  b, i, n, o, best, run, from, w) {
  n = length(s) / 2
  for (i = 0; i < n; i++) b[i] = hexed(substr(s, 2 * (i - i % 4 + 3 - i % 4) + 1, 2))
  if (n == 4) return b[0] "." b[1] "." b[2] "." b[3]
  for (i = 0; i < 8; i++) {
    w[i] = b[2 * i] * 256 + b[2 * i + 1]
    run = w[i] ? 0 : run + 1
    if (run > best) {
      best = run
      from = i - run + 1
    }
  }
  if (best < 2) from = best = -1
  for (i = 0; i < 8; i++) {
    if (i >= from && i < from + best) {
      if (i == from) o = o ":"
      continue
    }
    if (i) o = o ":"
    if (i == 6 && from == 0 && (best == 6 || best == 5 && w[5] == 65535))
      return o b[12] "." b[13] "." b[14] "." b[15]
    o = o sprintf("%x", w[i])
  }
  return from >= 0 && from + best == 8 ? o ":" : o
}

function failed(name) { return "{\"error\":\"" name "\"}" }

BEGIN {
  ready()
  letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  if (todo !~ /^(walk|sockets|holders)$/) RS = sprintf("%c", 1)
  set_of(ports, listened)
}

todo == "walk" {
  record = $0 == "new " mark ? $0 : record $0
  if (length($0) > length(mark) && substr($0, length($0) - length(mark)) == " " mark) {
    entry(record)
    record = ""
  } else record = record "\n"
  next
}

todo == "holders" {
  if ($0 ~ /^\/proc\/[0-9]+\/fd:$/) pid = substr($0, 7, length($0) - 10)
  else if (match($0, /[0-9]+ -> socket:\[[0-9]+\]$/)) print pid, substr($0, RSTART)
  next
}

todo == "sockets" {
  split($2, local, ":")
  if ($4 == "0A" && hexed(local[2]) in listened) print $10, hexed(local[2]), address(local[1])
  next
}

{ all = $0 }

END {
  if (todo == "api") print api()
  if (todo == "stack") print stack_of()
  if (todo == "complaints") print complaints()
  if (todo == "config") print docker_config()
  if (todo == "license") print license()
  if (todo == "env") print env_file()
  if (todo == "certificates") print certificates()
  if (todo == "refusals") print refusals()
  if (todo == "walk") {
    printf "%s", samples
    if (odd) print "w!"
    else print "w" full + 0, seen + 0, offenders + 0, roots + 0
    print "p[" substr(passed, 2) "]"
  }
}
"""
"""The one awk program: any awk, in the C locale; `todo` says which question it answers."""
