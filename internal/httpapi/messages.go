package httpapi

import (
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// huma keeps its error constructor and its messages in package variables:
// they are replaced once, before the first surface is built.
var replaceHumaDefaults = sync.OnceFunc(func() {
	huma.NewErrorWithContext = humaProblem
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return humaProblem(nil, status, msg, errs...)
	}
	validation.MsgUnexpectedProperty = "多余的字段"
	validation.MsgExpectedRFC3339DateTime = "应为时间，如 2026-01-31T09:00:00+08:00"
	validation.MsgExpectedRFC3339Date = "应为日期，如 2026-01-31"
	validation.MsgExpectedRFC3339Time = "应为时刻，如 09:00:00"
	validation.MsgExpectedRFC5322Email = "应为电子邮箱: %v"
	validation.MsgExpectedRFC3986URI = "应为网址: %v"
	validation.MsgExpectedBoolean = "应为是或否"
	validation.MsgExpectedNumber = msgNumber
	validation.MsgExpectedInteger = "应为整数"
	validation.MsgExpectedString = "应为文字"
	validation.MsgExpectedBase64String = "应为 base64 编码"
	validation.MsgExpectedArray = "应为列表"
	validation.MsgExpectedObject = "应为对象"
	validation.MsgExpectedArrayItemsUnique = "不能重复"
	validation.MsgExpectedOneOf = "应为其中之一：%s"
	validation.MsgExpectedMinimumNumber = "不能小于 %v"
	validation.MsgExpectedExclusiveMinimumNumber = "应大于 %v"
	validation.MsgExpectedMaximumNumber = "不能大于 %v"
	validation.MsgExpectedExclusiveMaximumNumber = "应小于 %v"
	validation.MsgExpectedNumberBeMultipleOf = "应为 %v 的倍数"
	validation.MsgExpectedMinLength = "至少 %d 个字"
	validation.MsgExpectedMaxLength = "最多 %d 个字"
	validation.MsgExpectedBePattern = "格式应为 %s"
	validation.MsgExpectedMatchPattern = "格式应为 %s"
	validation.MsgExpectedMinItems = "至少 %d 项"
	validation.MsgExpectedMaxItems = "最多 %d 项"
	validation.MsgExpectedRequiredProperty = "缺少 %s"
})

const (
	msgNumber  = "应为数字"
	msgMissing = "缺少这一项"
)

// humaCannotRead is what huma says when the body breaks off.
const humaCannotRead = "cannot read request body"

// reasons are huma's messages that it keeps in no variable.
var reasons = map[string]string{
	"unknown query parameter":                                  "多余的参数",
	"required query parameter is missing":                      msgMissing,
	"required path parameter is missing":                       msgMissing,
	"required header parameter is missing":                     msgMissing,
	"invalid integer":                                          "应为整数",
	"invalid float":                                            msgNumber,
	"invalid floating value":                                   msgNumber,
	"invalid boolean":                                          "应为是或否",
	"expected at most one value, but received multiple values": "只能填一个",
}

// reason turns a message of huma's into one for people. What follows a colon
// may quote the value and is dropped, as is every text that is not ours.
func reason(message string) string {
	message, _, _ = strings.Cut(message, ": ")
	if ours, ok := reasons[message]; ok {
		return ours
	}
	if strings.HasPrefix(message, "invalid date/time") {
		return "应为时间，如 2026-01-31T09:00:00+08:00"
	}
	if !strings.ContainsFunc(message, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return "格式有误"
	}
	return message
}

var fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,31}(\[[0-9]{1,5}\])*$`)

// fieldPath keeps the part of a location that looks like names of fields: the
// names of unknown parameters, properties and map keys are the caller's text.
func fieldPath(location string) string {
	if !strings.HasPrefix(location, "body") && !strings.HasPrefix(location, "query") {
		return location // huma lists only known headers and path parameters
	}
	segments := strings.Split(location, ".")
	for i, s := range segments {
		if !fieldName.MatchString(s) {
			return strings.Join(segments[:i], ".")
		}
	}
	return location
}
