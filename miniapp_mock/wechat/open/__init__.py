"""api.weixin.qq.com and open.weixin.qq.com."""
