package httpapi

import (
	"sync"

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
	validation.MsgExpectedNumber = "应为数字"
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
